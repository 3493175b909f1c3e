"""A model that distinguishes real applications from synthetic ones: how well, and by which columns."""

from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from bento.data.tables import APPLICATION
from research.results import DiscriminatorResult

_MAX_ROWS = 5000
_FOLDS = 3
_ROUNDS = 150
_MAX_COLUMNS = 8
_PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "seed": 1,
    "deterministic": True,
    "num_threads": 1,
    "verbose": -1,
}


def read_applications(folder: Path) -> dict[str, pl.DataFrame]:
    """Read the real application tables in `folder`, as Kaggle writes them; raise ValueError if there are none."""
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


def discriminate(table: str, real: pl.DataFrame, synthetic: pl.DataFrame) -> DiscriminatorResult:
    """Train a LightGBM for "is real" on equal numbers of both kinds; return its out-of-fold AUC and main columns."""
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
    for train, validation in folds.split(values, is_real):
        data = lgb.Dataset(values[train], is_real[train], categorical_feature=[names.index(name) for name in texts])
        model = lgb.train(_PARAMETERS, data, _ROUNDS)
        scores[validation] = model.predict(values[validation])
        gains += model.feature_importance("gain")
    worst = np.argsort(-gains)[:_MAX_COLUMNS]
    shares = {names[index]: round(float(gains[index] / gains.sum()), 4) for index in worst}
    return DiscriminatorResult(table=table, auc=float(roc_auc_score(is_real, scores)), columns=shares)
