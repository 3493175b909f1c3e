"""Rank families and arms on synthetic and on real applications of the same number; exit code 1 where they disagree.

Both are compared on the features of the application alone, out of fold. True probabilities judge the synthetic folds.
"""

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import polars as pl
from scipy.stats import kendalltau
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from bento import require_writable
from bento.model.scoring_model import encode
from research.cli import user_path
from research.comparison import candidates
from research.comparison.candidates import ARMS, FAMILIES, NONE
from research.comparison.experiment import Candidate, Settings
from research.data.dataset import DATA, Data, open_folder
from research.data.splits import fold_rows
from research.options import FOLDS, SEED
from research.synthetic import write
from research.synthetic.fidelity_metrics import auc, expected_auc
from research.training.cross_fitting import catalogue_names, model_features
from research.types import Floats, FoldSplit, TrainingMatrix

EXAMPLE = "python -m research carry-over --real data/raw --families lightgbm,logistic"
REPORT_FILE = "carry_over.json"
APPLICATION_TRAIN = "application_train"
MAX_GAP_DIFFERENCE = 0.004
"""Difference between the real and the synthetic gap of a candidate, in AUC, up to which the gap carries over."""


@dataclass(frozen=True, eq=False)
class Applications:
    """Applications with their folds, and how a fold's scores are judged: positions and probabilities to an AUC."""

    kind: str
    matrix: TrainingMatrix
    splits: list[FoldSplit]
    judge: Callable[[np.ndarray, Floats], float]

    def aucs(self, candidate: Candidate, seed: int, memory: joblib.Memory) -> Floats:
        """Return the AUC of each fold, out of fold."""
        model = candidates.build(candidate.family, candidate.arm, tuple(self.matrix.columns), seed, 1, memory)
        scores = candidates.score_folds(model, self.matrix, self.splits, lambda: None)
        return np.array([self.judge(rows, scores.probability[rows]) for _, rows in self.splits])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder of real applications, the candidates, folds and seed, and the folder of the report."""
    parser.add_argument("--real", type=user_path, required=True, metavar="DIR", help="folder with application_train")
    parser.add_argument("--families", default=",".join(FAMILIES), help="families of models")
    parser.add_argument("--arms", default=NONE, help=f"treatments of the imbalance: {', '.join(ARMS)}")
    parser.add_argument("--folds", type=int, default=FOLDS, help="folds")
    parser.add_argument("--seed", type=int, default=SEED, help="of population, folds, selection and classifiers")
    parser.add_argument("--out", type=Path, default=DATA, metavar="DIR", help="folder of the report")


def run(options: argparse.Namespace) -> int:
    """Compare on both, print and write the report; return 1 where orders or gaps do not carry over."""
    families, arms = (tuple(text.split(",")) for text in (options.families, options.arms))
    settings = Settings(families=families, arms=arms, folds=options.folds, seed=options.seed)
    chosen = [candidate for candidate in settings.candidates() if candidate.family in FAMILIES]
    real = Data(open_folder(options.real))
    require_writable(options.out)
    with tempfile.TemporaryDirectory(prefix="carry_over_") as folder:
        clients = len(real.features())
        synthetic = _synthetic(Path(folder) / "data", clients, options.seed)
        compared = [
            _aucs(_applications(data, oracle, settings), chosen, settings.seed)
            for data, oracle in ((real, None), (synthetic, Path(folder) / "data" / "oracle.parquet"))
        ]
    report = carry_over([candidate.name for candidate in chosen], *compared)
    report = {"clients": clients, "folds": settings.folds, "seed": settings.seed, **report}
    (options.out / REPORT_FILE).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    _print(report)
    print(f"written: {options.out / REPORT_FILE}")
    return 0 if report["carries_over"] else 1


def carry_over(names: Sequence[str], real: Floats, synthetic: Floats) -> dict[str, Any]:
    """Compare AUCs by candidate and fold (each candidates x folds): ranks, and gaps to the best real candidate.

    Gaps are paired by fold, with a standard error. They carry over if the order of means is the same and each gap is
    within `MAX_GAP_DIFFERENCE` of the real one.

    >>> report = carry_over(["a", "b"], np.array([[0.7, 0.8], [0.6, 0.7]]), np.array([[0.9, 0.9], [0.8, 0.8]]))
    >>> report["tau"], report["carries_over"]
    (1.0, True)
    """
    best = int(real.mean(axis=1).argmax())
    rows: list[dict[str, Any]] = []
    for position, name in enumerate(names):
        gaps: dict[str, dict[str, float]] = {}
        for kind, aucs in (("real", real), ("synthetic", synthetic)):
            gap = aucs[position] - aucs[best]
            gaps[kind] = {
                "auc": float(aucs[position].mean()),
                "gap": float(gap.mean()),
                "standard_error": float(gap.std(ddof=1) / math.sqrt(len(gap))),
            }
        rows.append({"candidate": name, **gaps, "difference": gaps["synthetic"]["gap"] - gaps["real"]["gap"]})
    tau = float(kendalltau(real.mean(axis=1), synthetic.mean(axis=1)).statistic) if len(names) > 1 else 1.0
    within = all(abs(row["difference"]) <= MAX_GAP_DIFFERENCE for row in rows)
    return {"reference": names[best], "tau": tau, "rows": rows, "carries_over": within and math.isclose(tau, 1.0)}


def _synthetic(folder: Path, clients: int, seed: int) -> Data:
    """Write a population with about `clients` training clients, without histories."""
    total = round(clients * 356_255 / 307_511)  # the rest is in application_test
    write(folder, total, seed)
    for file in folder.glob("*.parquet"):
        if file.stem not in (APPLICATION_TRAIN, "oracle"):
            file.unlink()
    return Data(folder)


def _applications(data: Data, oracle: Path | None, settings: Settings) -> Applications:
    features = data.features()
    names = [name for name in catalogue_names(with_age=True, left_out=()) if name.startswith("application_")]
    target, person = features["TARGET"].to_numpy(), data.audit()["person"].cast(pl.Int64).to_numpy()
    columns = model_features(names, features)
    matrix = TrainingMatrix(matrix=encode(features, columns), target=target, columns=columns, person=person)
    splits = fold_rows(target, person, settings.folds, settings.seed)
    candidates.check(matrix, splits)
    if oracle is None:
        return Applications("real", matrix, splits, lambda rows, scores: auc(scores, target[rows]))
    probability = (
        features.select("SK_ID_CURR")
        .join(pl.read_parquet(oracle, glob=False), on="SK_ID_CURR", how="left", maintain_order="left")["PROBABILITY"]
        .to_numpy()
    )
    return Applications("synthetic", matrix, splits, lambda rows, scores: expected_auc(scores, probability[rows]))


def _aucs(applications: Applications, chosen: Sequence[Candidate], seed: int) -> Floats:
    with tempfile.TemporaryDirectory(prefix="carry_over_") as folder, threadpool_limits(1):
        memory = joblib.Memory(folder, verbose=0)
        named = tqdm(chosen, desc=applications.kind, unit="candidate", leave=False)
        return np.array([applications.aucs(candidate, seed, memory) for candidate in named])


def _print(report: dict[str, Any]) -> None:
    print(f"{'candidate':28} {'real AUC':>9} {'gap':>17} {'synthetic':>9} {'gap':>17} {'difference':>10}")
    for row in report["rows"]:
        cells = []
        for kind in ("real", "synthetic"):
            of = row[kind]
            cells.append(f"{of['auc']:9.4f} {of['gap']:+8.4f} ± {of['standard_error']:.4f}")
        print(f"{row['candidate']:28} {cells[0]} {cells[1]} {row['difference']:+10.4f}")
    verdict = "carry over" if report["carries_over"] else "do not carry over"
    print(f"Kendall's tau {report['tau']:.2f}; order and gaps to {report['reference']} {verdict}")
