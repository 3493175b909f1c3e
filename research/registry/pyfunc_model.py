"""A model folder as an MLflow pyfunc model: `mlflow models serve` scores ready-made features with it."""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import polars as pl
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from bento.model.scoring_model import ScoringModel


class ScoringPythonModel(PythonModel):
    """Scores with the folder logged as the artifact `model`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model folder."""
        self.model = ScoringModel(Path(context.artifacts["model"]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return the probability of default for each row of features; columns by name, in any order.

        A column that is not there is unknown in all rows: the signature calls each of them optional.
        """
        columns = {feature.name: feature for feature in self.model.manifest.features}
        given = model_input.reindex(columns=list(columns)).astype(object)
        features = pl.DataFrame(
            {
                name: pl.Series(
                    given[name].where(given[name].notna(), None).tolist(),
                    dtype=pl.String if column.categories else pl.Float64,
                )
                for name, column in columns.items()
            }
        )
        return pd.DataFrame({"probability_of_default": self.model.probability(features)})


mlflow.models.set_model(ScoringPythonModel())
