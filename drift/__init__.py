"""Watches the model's world: data drift now, production decisions and outcomes later."""

import os

os.environ.setdefault("DO_NOT_TRACK", "1")  # Evidently sends no usage statistics
