"""What the training clients were like: to compare a client with similar ones, and to bound what could be changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bento.i18n import Wording, amount

REFERENCE_FILE = "reference.json"
AMOUNTS = ("AMT_CREDIT", "AMT_GOODS_PRICE", "AMT_ANNUITY")
"""The columns of the application that a client and the bank can agree on anew."""
RATIOS = {"term": ("AMT_CREDIT", "AMT_ANNUITY"), "goods_cover": ("AMT_CREDIT", "AMT_GOODS_PRICE")}
"""Their proportions, numerator and denominator: a loan outside those seen in training is no loan of this bank."""
MIN_GROUP_SIZE = 50
"""Clients below which a segment is too small to speak of."""


class ReferenceFileError(RuntimeError):
    """A reference file that is missing or broken; the message says why, in one line."""


class Range(BaseModel):
    """The values usual in training: nearly all lie from `low` to `high`, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    low: float
    high: float

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not exceed high")
        return self


class Segment(BaseModel):
    """Training clients who resemble each other: the same source of income, and loans of about the same size.

    `income_type` None: whatever their source of income. AMT_CREDIT lies from `low` up to, not including, `high`; None
    where there is no such bound.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    income_type: str | None
    low: float | None
    high: float | None
    clients: int = Field(ge=MIN_GROUP_SIZE)
    typical: dict[str, float | str | None] = Field(
        description="by feature: the median, the most frequent category, null where most are unknown"
    )

    def holds(self, income_type: str | None, credit: float) -> bool:
        """Whether a client with this NAME_INCOME_TYPE and AMT_CREDIT is one of them."""
        return (
            self.income_type in (None, income_type)
            and (self.low is None or self.low <= credit)
            and (self.high is None or credit < self.high)
        )

    @property
    def description(self) -> Wording:
        """Who they are, in words."""
        if self.income_type is None and self.low is None and self.high is None:
            return Wording(en="all clients of the training data", fr="tous les clients des données d'entraînement")
        loan_en, loan_fr = self._loan
        if self.income_type is None:
            return Wording(
                en=f"clients with {loan_en}, whatever their source of income",
                fr=f"clients ayant {loan_fr}, quelle que soit leur source de revenus",
            )
        return Wording(
            en=f"clients with the same source of income and {loan_en}",
            fr=f"clients ayant la même source de revenus et {loan_fr}",
        )

    @property
    def _loan(self) -> tuple[str, str]:
        low, high = (None if bound is None else amount(bound) for bound in (self.low, self.high))
        if low and high:
            return f"a loan of {low[0]} to {high[0]}", f"un prêt de {low[1]} à {high[1]}"
        if high:
            return f"a loan below {high[0]}", f"un prêt inférieur à {high[1]}"
        if low:
            return f"a loan of {low[0]} or more", f"un prêt de {low[1]} ou plus"
        return "a loan of any size", "un prêt de n'importe quel montant"


class Reference(BaseModel):
    """What `reference.json` holds: the training clients as medians and ranges, no row and no small segment of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ranges: dict[str, Range] = Field(description="of AMOUNTS and RATIOS")
    segments: list[Segment] = Field(description="the narrowest first; the last holds every client")

    @model_validator(mode="after")
    def _speaks_of_every_loan(self) -> Self:
        if missing := {*AMOUNTS, *RATIOS} - self.ranges.keys():
            raise ValueError(f"no range of {', '.join(sorted(missing))}")
        last = self.segments[-1] if self.segments else None
        if last is None or (last.income_type, last.low, last.high) != (None, None, None):
            raise ValueError("the last segment must hold every client")
        return self

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file of a model folder.

        Raises:
            ReferenceFileError: it is missing or broken.
        """
        try:
            return cls.model_validate_json((folder / REFERENCE_FILE).read_bytes())
        except OSError as error:
            raise ReferenceFileError(f"no usable {REFERENCE_FILE}: {error.strerror}; train again") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ReferenceFileError(f"no usable {REFERENCE_FILE}: {where} {first['msg']}; train again") from error

    def save(self, folder: Path) -> None:
        """Write the file."""
        (folder / REFERENCE_FILE).write_text(self.model_dump_json(indent=1) + "\n")

    def similar(self, application: Mapping[str, Any]) -> Segment:
        """The narrowest segment that an application, in raw columns, belongs to."""
        income_type, credit = application.get("NAME_INCOME_TYPE"), application["AMT_CREDIT"]
        return next(segment for segment in self.segments if segment.holds(income_type, credit))
