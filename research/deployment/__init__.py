"""From the registry to a running service: import, build, containerize, pipeline, demo."""
