"""The HTTP side: endpoints, schemas, problems, keys, recording of decisions, metrics."""
