"""The service in AWS: `python -m research cloud`; the templates are in `.github/cloud`."""
