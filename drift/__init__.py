"""Detect changes in the population that the model scores."""

import os

os.environ.setdefault("DO_NOT_TRACK", "1")  # Evidently sends no usage statistics
