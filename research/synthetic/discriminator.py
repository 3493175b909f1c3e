"""Whether a model can tell real applications from synthetic ones, and by which columns."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedKFold

from bento.data.tables import APPLICATION
from research.synthetic.fidelity_metrics import auc

_MAX_ROWS = 5000
_FOLDS = 3
_ROUNDS = 150
_SHOWN = 8
_PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "seed": 1,
    "deterministic": True,
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class Likeness:
    """How well real rows are told from synthetic ones: 0.5 not at all, 1 always."""

    table: str
    auc: float
    columns: dict[str, float]
    """Columns that give the synthetic rows away, and their share of the gain."""

    def record(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return asdict(self)


def read_applications(folder: Path) -> dict[str, pl.DataFrame]:
    """Real application tables in `folder` by name, as Kaggle writes them; ValueError if there are none."""
    tables = {}
    for name in ("application_train", "application_test"):
        file = folder / f"{name}.csv"
        if file.is_file():
            text = pl.read_csv(file, infer_schema=False)
            lacking = [column.name for column in APPLICATION if column.name not in text.columns]
            if lacking:
                raise ValueError(f"{file} lacks {', '.join(lacking[:3])}")
            tables[name] = text.select(
                pl.col(name) if dtype == pl.String else pl.col(name).cast(pl.Float64, strict=False)
                for name, dtype in APPLICATION.schema.items()
            )
    if not tables:
        raise ValueError(f"{folder} holds neither application_train.csv nor application_test.csv")
    return tables


def tell_apart(table: str, real: pl.DataFrame, synthetic: pl.DataFrame) -> Likeness:
    """Out-of-fold AUC of a LightGBM for "is real", with as many rows of each kind as there are of both."""
    names = [column.name for column in APPLICATION.columns[1:]]
    rows = min(len(real), len(synthetic), _MAX_ROWS)
    texts = [column.name for column in APPLICATION if column.kind == "category"]
    both = pl.concat(
        frame.select(pl.col(name) if name in texts else pl.col(name).cast(pl.Float64) for name in names).sample(
            rows, seed=1
        )
        for frame in (real, synthetic)
    )
    values = both.with_columns(
        pl.col(name).cast(pl.Categorical).to_physical().cast(pl.Float64) for name in texts
    ).to_numpy()
    is_real = np.repeat([1, 0], rows)
    scores, gains = np.zeros(2 * rows), np.zeros(len(names))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=1)
    for fit, judge in folds.split(values, is_real):
        data = lgb.Dataset(values[fit], is_real[fit], categorical_feature=[names.index(name) for name in texts])
        model = lgb.train(_PARAMETERS, data, _ROUNDS)
        scores[judge] = model.predict(values[judge])
        gains += model.feature_importance("gain")
    worst = np.argsort(-gains)[:_SHOWN]
    shares = {names[index]: round(float(gains[index] / gains.sum()), 4) for index in worst}
    return Likeness(table, auc(scores, is_real), shares)
