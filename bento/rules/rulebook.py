"""The rulebook: the rules of a lender, read from one TOML file, and their version."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bento import CorrectableError
from bento.rules.fields import COUNTS_OF_ROWS, FIELDS
from bento.rules.measures import MEASURES

DEFAULT_RULES = Path(__file__).with_name("rules.toml")
RuleOutcome = Literal["impossible", "review", "refused"]
"""What a rule makes of an application: an error of its sender, a person's decision, or a refusal."""


class RulesError(CorrectableError):
    """The file of the rules cannot be used; the message names the file, the rule and the field."""


class _Content(BaseModel):
    """Part of the file; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RuleText(_Content):
    """One or more sentences for the client, in both languages."""

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)


class Rule(_Content):
    """One rule: what it looks at, where it applies, and what follows.

    It applies where one of its `measures` lies below `minimum`, above `maximum` or outside the range usual in training,
    or, with `unknown`, where one is not known; or where fewer than `minimum` of its `fields` are known.
    """

    code: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$", description="stable: journals and letters hold it")
    on: bool = True
    outcome: RuleOutcome
    measures: tuple[str, ...] = Field(default=(), description="names in bento.rules.measures.MEASURES")
    fields: tuple[str, ...] = Field(default=(), description="names in bento.rules.fields.FIELDS")
    minimum: float | None = None
    maximum: float | None = None
    usual: bool = Field(default=False, description="applies outside the range of the training clients")
    unknown: bool = Field(default=False, description="applies where a measure is not known")
    text: RuleText

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if bool(self.measures) == bool(self.fields):
            raise ValueError("give either measures or fields")
        _check_names("measure", self.measures, MEASURES)
        _check_names("field", self.fields, FIELDS)
        if self.fields and (self.minimum is None or self.maximum is not None or self.usual or self.unknown):
            raise ValueError("a rule on fields takes a minimum, the least number that must be known, and nothing else")
        limits = (self.minimum, self.maximum)
        if self.measures and limits == (None, None) and not (self.usual or self.unknown):
            raise ValueError("give a minimum, a maximum, usual = true or unknown = true")
        if self.usual and limits != (None, None):
            raise ValueError("give limits or usual = true, not both")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum must not exceed maximum")
        if self.usual and (without := [name for name in self.measures if not MEASURES[name].has_usual_range]):
            raise ValueError(f"no usual range is known of {without[0]}; give limits")
        if self.outcome == "impossible" and self.features:
            raise ValueError("only a rule on the application alone can be impossible; choose review or refused")
        return self

    @property
    def features(self) -> frozenset[str]:
        """The features of the histories that the rule reads."""
        counts = {COUNTS_OF_ROWS[field] for field in self.fields if field in COUNTS_OF_ROWS}
        parts = {part for name in self.measures for part in MEASURES[name].parts}
        return frozenset(counts).union(*(MEASURES[name].features for name in {*self.measures, *parts}))


class Rulebook(_Content):
    """The rules of a lender, and what they assume."""

    income_months: float = Field(gt=0, description="months that AMT_INCOME_TOTAL covers; AMT_ANNUITY is monthly")
    usual_margin: float = Field(ge=0, description="share by which the usual ranges of training are widened")
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _has_unique_codes(self) -> Self:
        codes = [rule.code for rule in self.rules]
        if repeated := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"two rules have the code {repeated[0]}")
        return self

    @classmethod
    def read(cls, path: Path = DEFAULT_RULES) -> Self:
        """Read a file of rules.

        Raises:
            RulesError: there is no such file, it is no TOML, or a rule is incomplete or unknown.
        """
        try:
            return cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except OSError as error:
            raise RulesError(f"{path}: the rules cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise RulesError(
                f"{path}: holds characters that are not UTF-8; save it again with that encoding"
            ) from error
        except tomllib.TOMLDecodeError as error:
            raise RulesError(f"{path}: no TOML: {error}") from error
        except ValidationError as error:
            raise RulesError(f"{path}: {_first_fault(error)}") from error

    @classmethod
    def none(cls) -> Self:
        """Return a rulebook without a rule: that of decisions made before there were rules."""
        return cls(income_months=1, usual_margin=0, rules=())

    @cached_property
    def content(self) -> str:
        """The rulebook as JSON, the same for files that differ in comments and layout alone; `of_content` reads it."""
        return self.model_dump_json()

    @classmethod
    def of_content(cls, content: str | bytes) -> Self:
        """Return the rulebook of a `content`."""
        return cls.model_validate_json(content)

    @cached_property
    def version(self) -> str:
        """Digest of the content."""
        return hashlib.sha256(self.content.encode()).hexdigest()[:16]

    def active(self, *outcomes: RuleOutcome) -> Iterator[Rule]:
        """Yield the rules that are on, of these outcomes."""
        return (rule for rule in self.rules if rule.on and rule.outcome in outcomes)


def _check_names(kind: str, names: tuple[str, ...], declared: Mapping[str, object]) -> None:
    for name in names:
        if name not in declared:
            raise ValueError(f"unknown {kind} {name}; known are {', '.join(declared)}")


def _first_fault(error: ValidationError) -> str:
    """Return the first fault of a file as `rule 3, maximum: Input should be a valid number`, without its value."""
    fault = error.errors(include_url=False, include_input=False)[0]
    parts = list(fault["loc"])
    where = f"rule {int(parts[1]) + 1}" if len(parts) > 1 and parts[0] == "rules" else ""
    field = ".".join(map(str, parts[2:] if where else parts))
    place = ", ".join(filter(None, [where, field]))
    message = fault["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
