"""Rules before the model: what an application must be to be decided by the model alone; a lender edits `rules.toml`."""
