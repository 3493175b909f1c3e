"""Score a folder in the usual style, as an anchor: features in pandas, and `Booster.predict` on all of them."""

import sys
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from bento.data.tables import HISTORIES
from tests.benchmarks.pandas_recipe import simple_features

TREES, LEAVES, TRAINED_ON = 400, 16, 5_000


def main(folder: Path) -> int:
    """Compute the features of all applications, and their probabilities of default by a booster of usual size."""
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in HISTORIES}
    parts = [pd.read_parquet(folder / f"application_{part}.parquet") for part in ("train", "test")]
    applications = pd.concat(parts, ignore_index=True)
    features = simple_features({**tables, "application": applications.drop(columns="TARGET")})
    matrix = features.drop(columns="SK_ID_CURR").to_numpy(np.float64)
    has_outcome = applications["TARGET"].notna().to_numpy()
    rows, target = matrix[has_outcome][:TRAINED_ON], applications["TARGET"][has_outcome][:TRAINED_ON]
    settings = {"objective": "binary", "num_leaves": LEAVES, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, target), TREES)
    booster.predict(matrix)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
