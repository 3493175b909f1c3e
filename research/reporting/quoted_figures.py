"""Fill figures of the published result files into texts in English and French.

A text names each figure by file, path and format: `{results:metrics.test_auc:.3f}`. Formats are those of Python, with
two words before them: `1000 .0f` multiplies, and `interval .3f` writes a figure with its interval. The file `project`
holds counts that are computed from the code, and `findings` what is computed from the results: `{findings:served:s}`.

A part `{name? ... ?}` stands only where the results meet the condition of this name, `{not name? ... ?}` only where
they do not (`research/reporting/findings.py`), and `{? ... ?}` only where the files hold its figures.
"""

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from bento.data.tables import TABLES
from bento.features.catalogue import CATALOGUE
from bento.i18n import MINUS, NARROW_SPACE
from bento.policy import DEFAULT_COSTS, DEFAULT_ECONOMICS
from bento.rules.rulebook import Rulebook
from research.cli import ROOT, CommandError
from research.data.splits import SHARES
from research.evaluation.bootstrap import WHAT_INTERVALS_HOLD
from research.reporting.findings import CONDITIONS, Findings

PUBLISHED = ROOT / "research" / "results"
"""Folder of the published results, from which all documents take their figures."""
Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

QUOTE = re.compile(r"\{([a-z_/]+):([^:{}]+):([^{}]+)\}")
CONDITION = re.compile(r"\{(not )?(\w*)\?(.*?)\?\}", re.DOTALL)
_SELECTOR = re.compile(r"(\w*)\[(\w+)=([^\]]+)\]")
_BEFORE_MARK = re.compile(r" (?=[:;?!»](\s|$))|(?<=«) ")
"""Blanks of French typography at which no line may break."""
NO_BREAK_SPACE = "\u00a0"
_FACTOR = re.compile(r"(\d+|interval) (.+)")


class MissingFigureError(CommandError):
    """A text quotes a figure that the result files do not hold."""


class QuotedFigures:
    """The figures of a folder of published results, by file and path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, Any] = {}

    def file(self, name: str) -> Any:
        """Return the content of a result file, named without `.json`; a `CommandError` where it cannot be read."""
        if name == "project":
            return self._project
        if name == "findings":
            return Findings(self)
        if name not in self._files:
            path = self.folder / f"{name}.json"
            try:
                self._files[name] = json.loads(path.read_text("utf-8"))
            except OSError as error:
                raise MissingFigureError(f"{path}: {error.strerror}; publish a run that holds it") from error
            except ValueError as error:
                raise CommandError(f"{path}: no JSON ({error}); publish the run again") from error
        return self._files[name]

    def value(self, name: str, path: str) -> Any:
        """Return the value at a path: keys with dots between, `rows[candidate=prior]` for the row of a table.

        Raises:
            CommandError: the file has no such key or row; the message names file and path.
        """
        value = self.file(name)
        for part in re.split(r"\.(?![^\[]*\])", path):
            row = _SELECTOR.fullmatch(part)
            try:
                if row:
                    key, column, wanted = row.groups()
                    table = value[key] if key else value
                    value = next(entry for entry in table if str(entry[column]) == wanted)
                else:
                    value = value[part]
            except (KeyError, TypeError, StopIteration) as error:
                message = f"{name}.json holds no {path} (at {part!r}): publish a run that holds it"
                raise MissingFigureError(message) from error
        return value

    def fill(self, text: str, language: Language) -> str:
        """Replace each quoted figure of a text; a `MissingFigureError` where the files do not hold one."""
        text = CONDITION.sub(lambda match: self._part(match[2], match[3], bool(match[1]), language), text)
        text = QUOTE.sub(lambda match: self._written(match[1], match[2], match[3], language), text)
        return text if language == "en" else _BEFORE_MARK.sub(NO_BREAK_SPACE, text)

    def source(self, name: str, language: Language) -> str:
        """Return the line that names the data of a result file."""
        content = self.file(name)
        kind = {
            "synthetic": {"en": "synthetic data", "fr": "données synthétiques"},
            "real": {"en": "real data", "fr": "données réelles"},
        }[content["data"]][language]
        return f"{kind}, {number(content['clients'], ',.0f', language)} clients"

    def holds(self, condition: str) -> bool:
        """Return whether the results meet a condition of texts; a `CommandError` where there is no such condition."""
        if condition not in CONDITIONS:
            raise CommandError(f"a text names the condition {condition!r}: none of {', '.join(sorted(CONDITIONS))}")
        return CONDITIONS[condition](self)

    def _part(self, condition: str, text: str, negated: bool, language: Language) -> str:
        """Return a part of a text where its condition holds, otherwise nothing."""
        if condition:
            return text if self.holds(condition) is not negated else ""
        try:
            self.fill(text, language)
        except MissingFigureError:
            return ""
        return text

    def _written(self, name: str, path: str, form: str, language: Language) -> str:
        value = self.value(name, path)
        if isinstance(value, tuple):
            return str(value[LANGUAGES.index(language)])
        word, form = match.groups() if (match := _FACTOR.fullmatch(form)) else ("1", form)
        if word != "interval":
            return number(value if word == "1" else float(word) * value, form, language)
        joint = {"en": " to ", "fr": " à "}[language]
        ends = joint.join(number(value[end], form, language) for end in ("low", "high"))
        return f"{number(value['value'], form, language)} ({ends})"

    @cached_property
    def _project(self) -> dict[str, Any]:
        """Counts and settings of the code."""
        return {
            "tables": len(TABLES),
            "columns": sum(len(table.columns) for table in TABLES.values()),
            "features": len(CATALOGUE),
            "rules": len(Rulebook.read().rules),
            "false_negative": DEFAULT_COSTS.false_negative,
            "threshold": DEFAULT_COSTS.theoretical_threshold,
            "loss_given_default": DEFAULT_ECONOMICS.loss_given_default,
            "margin": DEFAULT_ECONOMICS.margin,
            "shares": dict(SHARES),
            "intervals": WHAT_INTERVALS_HOLD,
        }


def number(value: Any, form: str, language: Language) -> str:
    r"""Write a number as its language does; a text is left as it is.

    >>> number(1234.5, ",.1f", "en"), number(1234.5, ",.1f", "fr"), number(0.081, ".1%", "fr"), number(-1, "+.0f", "en")
    ('1,234.5', '1\u202f234,5', '8,1\u202f%', '\u22121')
    """
    if isinstance(value, str):
        return value
    text = f"{value:{form}}".replace("-", MINUS)
    if language == "en":
        return text
    return text.replace(",", NARROW_SPACE).replace(".", ",").replace("%", f"{NARROW_SPACE}%")
