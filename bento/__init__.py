"""Everything that runs when a credit decision is made: tables, clean, features, model, decision, service."""

NAME = "credit_scoring"
"""Of the model in registry and Bento store, of the Bento, and of the service."""
