"""Everything that runs when a credit decision is made: tables, clean, features, model, decision, service."""
