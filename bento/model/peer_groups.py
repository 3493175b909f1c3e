"""Statistics of the training clients: medians of peer groups, usual ranges, fields of the files, and loans sold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bento.features.definitions import Value
from bento.i18n import TextPair, Wording, format_amount
from bento.model.given_fields import GivenFields

REFERENCE_FILE = "reference.json"
AMOUNTS = ("AMT_CREDIT", "AMT_GOODS_PRICE", "AMT_ANNUITY")
"""Columns of the application that the client and the bank may still change."""
RATIOS = {"term": ("AMT_CREDIT", "AMT_ANNUITY"), "goods_cover": ("AMT_CREDIT", "AMT_GOODS_PRICE")}
"""Ratios of the amounts, numerator and denominator: the bank offers no loan outside their ranges in training."""
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Shares of the clients below the quantiles of a group; at least five clients lie beyond the outermost."""
MIN_GROUP_SIZE = 50
"""Least number of clients in a peer group: medians of fewer could expose one of them."""


class ReferenceFileError(RuntimeError):
    """`reference.json` is missing or broken; the message gives the reason in one line."""


class Range(BaseModel):
    """A range that holds nearly all values seen in training, from `low` to `high`, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    low: float
    high: float

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not exceed high")
        return self


class Plan(BaseModel):
    """A number of monthly instalments, and AMT_CREDIT / AMT_ANNUITY of the loans that were repaid in as many.

    The two together are a price: at a monthly rate r, n instalments repay (1 - (1 + r)^-n) / r times one of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    months: int = Field(gt=0)
    loans: int = Field(ge=MIN_GROUP_SIZE)
    credit_to_annuity: Range = Field(description="nearly all of the loans lie in it")


class Product(BaseModel):
    """A kind of loan (NAME_CONTRACT_TYPE) as it is sold: its amounts, instalments and, where it has a term, plans."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contract_type: str
    clients: int = Field(ge=MIN_GROUP_SIZE)
    credit: Range = Field(description="AMT_CREDIT of nearly all applications")
    credit_to_annuity: Range = Field(description="AMT_CREDIT / AMT_ANNUITY of nearly all applications")
    plans: list[Plan] = Field(description="of granted loans, the shortest first; none for a card, which has no term")


class PeerGroup(BaseModel):
    """Similar training clients: the same source of income, and loans of about the same size.

    `income_type` is None for a group of all sources of income. AMT_CREDIT lies from `low` up to, not including, `high`;
    None is no bound.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    income_type: str | None
    low: float | None
    high: float | None
    clients: int = Field(ge=MIN_GROUP_SIZE)
    medians: dict[str, Value] = Field(
        description="by feature: the median, or the most frequent category; null where most are unknown"
    )
    quantiles: dict[str, tuple[float, float, float, float, float]] = Field(
        default={}, description="by numeric feature that enough clients have: the values at SHARES"
    )

    def includes(self, income_type: str | None, credit: float) -> bool:
        """Whether a client with this NAME_INCOME_TYPE and AMT_CREDIT belongs to the group."""
        return (
            self.income_type in (None, income_type)
            and (self.low is None or self.low <= credit)
            and (self.high is None or credit < self.high)
        )

    @property
    def description(self) -> Wording:
        """The group in words."""
        if self.income_type is None and self.low is None and self.high is None:
            return Wording(en="all clients of the training data", fr="tous les clients des données d'entraînement")
        loan_en, loan_fr = self._loan_sizes
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
    def _loan_sizes(self) -> TextPair:
        low, high = (None if bound is None else format_amount(bound) for bound in (self.low, self.high))
        if low and high:
            return f"a loan of {low[0]} to {high[0]}", f"un prêt de {low[1]} à {high[1]}"
        if high:
            return f"a loan below {high[0]}", f"un prêt inférieur à {high[1]}"
        if low:
            return f"a loan of {low[0]} or more", f"un prêt de {low[1]} ou plus"
        return "a loan of any size", "un prêt de n'importe quel montant"


class Reference(BaseModel):
    """The content of `reference.json`: statistics of the training clients and their loans, no row of any client."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ranges: dict[str, Range] = Field(description="of AMOUNTS and RATIOS")
    usual: dict[str, Range] = Field(description="of the measures of bento.rules that have a usual range")
    groups: list[PeerGroup] = Field(description="the narrowest first; the last includes every client")
    fields: dict[str, GivenFields] = Field(description="by table")
    products: list[Product] = Field(description="kinds of loan with enough clients")

    @model_validator(mode="after")
    def _covers_every_loan(self) -> Self:
        if missing := {*AMOUNTS, *RATIOS} - self.ranges.keys():
            raise ValueError(f"no range of {', '.join(sorted(missing))}")
        last = self.groups[-1] if self.groups else None
        if last is None or (last.income_type, last.low, last.high) != (None, None, None):
            raise ValueError("the last group must include every client")
        return self

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file of a model folder; raise ReferenceFileError where it is missing or broken."""
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

    def peer_group(self, application: Mapping[str, Any]) -> PeerGroup:
        """Return the narrowest group that an application, in raw columns, belongs to."""
        income_type, credit = application.get("NAME_INCOME_TYPE"), application["AMT_CREDIT"]
        return next(group for group in self.groups if group.includes(income_type, credit))

    def product(self, application: Mapping[str, Any]) -> Product | None:
        """Return the kind of loan that an application, in raw columns, asks for; None where it is unknown or rare."""
        contract_type = application.get("NAME_CONTRACT_TYPE")
        return next((product for product in self.products if product.contract_type == contract_type), None)
