"""Proof of the drift report: `python -m tests.drift_proof` writes drift_proof.json and drift_proof.png."""
