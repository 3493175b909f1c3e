"""What the training clients were like: to compare a client with similar ones, and to bound what could be changed."""

import json
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

REFERENCE_FILE = "reference.json"
AMOUNTS = ("AMT_CREDIT", "AMT_GOODS_PRICE", "AMT_ANNUITY")
"""The columns of the application that a client and the bank can agree on anew."""
RATIOS = {"term": ("AMT_CREDIT", "AMT_ANNUITY"), "goods_cover": ("AMT_CREDIT", "AMT_GOODS_PRICE")}
"""Their proportions, numerator and denominator: a loan outside those seen in training is no loan of this bank."""
FEWEST = 50
"""Clients below which a segment is too small to speak of."""


class ReferenceError(RuntimeError):
    """A reference file that is missing or broken; the message says why, in one line."""


class Range(BaseModel):
    """Least and greatest value seen in training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float
    high: float


class Segment(BaseModel):
    """Training clients who resemble each other: the same source of income, and loans of about the same size.

    `income_type` None: whatever their source of income. `credit` bounds AMT_CREDIT: from `low` up to, not including,
    `high`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    income_type: str | None
    credit: Range
    clients: int
    typical: dict[str, float | str | None] = Field(
        description="by feature: the median, the most frequent category, null where most are unknown"
    )


class Reference(BaseModel):
    """What `reference.json` holds: the development rows as medians and ranges; no row, and no segment below `FEWEST`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ranges: dict[str, Range] = Field(description="of AMOUNTS and RATIOS")
    segments: list[Segment]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file of a model folder.

        Raises:
            ReferenceError: it is missing or broken.
        """
        try:
            return cls.model_validate_json((folder / REFERENCE_FILE).read_bytes())
        except (OSError, ValidationError) as error:
            raise ReferenceError(f"no usable {REFERENCE_FILE}: {str(error).splitlines()[0]}") from error

    def save(self, folder: Path) -> None:
        """Write the file."""
        (folder / REFERENCE_FILE).write_text(json.dumps(self.model_dump()) + "\n")

    def similar(self, application: dict[str, Any]) -> Segment:
        """The segment of an application: of its source of income where that has enough clients, else of its size."""
        raise NotImplementedError
