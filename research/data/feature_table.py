"""Read the features of training clients that `python -m bento portfolio features` wrote, on one machine or many."""

from collections.abc import Collection
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from bento.data.files import DataError
from bento.features.catalogue import catalogue_hash
from bento.portfolio.output import MANIFEST_FILE, Manifest

MAKE = "make them with: python -m bento portfolio features --data DIR --out DIR"


def read_feature_table(
    folder: Path, data: str, clients: pl.Series, names: Collection[str] | None = None
) -> pl.DataFrame:
    """Return SK_ID_CURR and features of the clients, in their order; other clients of the table are left out.

    Args:
        folder: the `--out` of a finished run.
        data: fingerprint of the files that the features must have been computed from.
        clients: SK_ID_CURR.
        names: of the features; by default all.

    Raises:
        DataError: as `feature_files`, or the run left a client out.
    """
    wanted = clients.to_frame("SK_ID_CURR")
    table = pl.scan_parquet(feature_files(folder, data), glob=False)
    if names is not None:
        table = table.select("SK_ID_CURR", *dict.fromkeys(names))
    rows = table.join(wanted.lazy(), on="SK_ID_CURR", how="semi").collect()
    if len(rows) != len(wanted):
        raise DataError(
            f"{folder}: {len(wanted) - len(rows):,} training clients have no features; {folder / 'not_scored'} says "
            "why: correct their rows, or leave them out"
        )
    return wanted.join(rows, on="SK_ID_CURR", how="left", maintain_order="left")


def feature_files(folder: Path, data: str) -> list[Path]:
    """Return the files of the features of a finished run over the files with the fingerprint `data`.

    Raises:
        DataError: the run is not finished, or is of other files or other feature code.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(f"{folder}: holds no finished run ({MANIFEST_FILE}); {MAKE}") from error
    if manifest.run.job != "features":
        raise DataError(f"{folder}: holds {manifest.run.job}s, not features; {MAKE}")
    if manifest.run.data != data:
        raise DataError(f"{folder}: the features are those of other files than --data names; {MAKE}")
    if manifest.run.catalogue != catalogue_hash():
        raise DataError(f"{folder}: the features were computed by other feature code than this; {MAKE}")
    return sorted((folder / "features").rglob("*.parquet"))
