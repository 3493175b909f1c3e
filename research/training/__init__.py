"""Train the scoring model: selection, tuning, cross-fitting, boosting, model folder."""
