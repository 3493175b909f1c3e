"""Compare candidates: families, imbalance arms, feature sets, protected attributes left out."""
