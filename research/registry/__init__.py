"""The MLflow registry: promote, roll back, the pyfunc model."""
