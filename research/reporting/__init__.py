"""Publish results, write the model card, run the notebooks."""
