"""Texts."""

TEXTS: dict[str, dict[str, str]] = {"page_drift": {"fr": "x", "en": "x"}}
