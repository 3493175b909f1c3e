"""Walk through the workflows at home: their own steps, read from the YAML, with stand-ins for GitHub and the cloud."""
