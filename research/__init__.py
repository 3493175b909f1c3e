"""Everything that leads to a model: data, splits, training, MLflow, registry, import into the Bento store."""
