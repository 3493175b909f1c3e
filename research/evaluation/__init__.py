"""Judge scores: metrics, business score, bootstrap, calibration, review band, fairness."""
