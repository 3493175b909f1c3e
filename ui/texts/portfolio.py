"""Texts."""

TEXTS: dict[str, dict[str, str]] = {"page_portfolio": {"fr": "x", "en": "x"}}
