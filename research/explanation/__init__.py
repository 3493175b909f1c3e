"""Explain the model: SHAP, LIME and their figures."""
