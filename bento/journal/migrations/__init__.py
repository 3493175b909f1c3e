"""The schema of the journal, step by step (Alembic); `python -m bento journal upgrade` applies what is missing."""
