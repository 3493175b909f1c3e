"""What tests look up in the registry of models."""

from collections.abc import Callable

import mlflow
from mlflow.entities.model_registry import ModelVersion

from research import tracking

Register = Callable[..., ModelVersion]
"""The fixture `register`: registers a model as challenger, its settings changed."""


def version_of(client: mlflow.MlflowClient, alias: str) -> str | None:
    """Return the version that carries an alias, or None."""
    registered = tracking.registered(client, alias)
    return str(registered.version) if registered else None
