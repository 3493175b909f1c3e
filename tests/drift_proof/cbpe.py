"""Estimate costs by NannyML's CBPE, in an environment that has NannyML: `python tests/drift_proof/cbpe.py DIR`.

It imports nothing of the project. DIR holds for each draw DRAW_past.parquet (pd, refused, target) and DRAW_new.parquet
(pd, refused); printed as JSON are NannyML's version and the cost of 1,000 new applications of each draw.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any


def cost(nannyml: Any, past: Any, new: Any, missed_default: float) -> float:
    """Return the cost of 1,000 applications that CBPE estimates from data frames; a good client refused costs 1."""
    estimator = nannyml.CBPE(
        problem_type="classification_binary",
        y_pred_proba="pd",
        y_pred="refused",
        y_true="target",
        metrics=["business_value"],
        business_value_matrix=[[0, -1], [-missed_default, 0]],
        chunk_number=1,
    )
    estimator.fit(past)
    result = estimator.estimate(new).filter(period="analysis").to_df()
    return -1000 * float(result["business_value", "value"].iloc[0]) / len(new)


def main() -> None:
    """Print the costs of all draws in the folder."""
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
    # Imported here, as the tests look into this module where there is no NannyML.
    import nannyml
    import pandas as pd

    folder, missed_default = Path(sys.argv[1]), float(sys.argv[2])
    costs = {}
    for path in sorted(folder.glob("*_past.parquet")):
        name = path.name.removesuffix("_past.parquet")
        new = pd.read_parquet(folder / f"{name}_new.parquet")
        costs[name] = cost(nannyml, pd.read_parquet(path), new, missed_default)
    print(json.dumps({"version": nannyml.__version__, "costs": costs}))  # noqa: T201


if __name__ == "__main__":
    main()
