"""Texts."""

TEXTS: dict[str, dict[str, str]] = {"page_model": {"fr": "x", "en": "x"}}
