"""Every sentence that a client or an officer may read: `python -m bento wording --help`."""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence

from bento import i18n
from bento.data.category_labels import CATEGORY_LABELS
from bento.data.credit_file import CreditFile, warnings
from bento.features.catalogue import CATALOGUE, share_counts_of
from bento.features.definitions import GROUP_LABELS, Value
from bento.i18n import Formatter, TextPair, Wording
from bento.policy import Decision
from bento.rules.check import Rules
from bento.rules.fields import FIELDS
from bento.rules.measures import MEASURES
from bento.rules.rulebook import Rulebook
from bento.scoring import counterfactual_text, missing_fields
from bento.scoring.loans import Loan
from bento.scoring.wording.concepts import CODES, SENTENCES, SENTENCES_WITHOUT_FACT
from bento.scoring.wording.facts import NOT_QUOTED, Direction, describe_fact, is_sensible, quoted_features
from bento.scoring.wording.formats import format_early
from bento.scoring.wording.unknowns import ITEMS, UNKNOWNS, WITHOUT_CAR, WITHOUT_JOB_TEXTS, Unknown
from bento.settings import Settings

HEADING = """\
# The words

Printed by `python -m bento wording`; all figures are invented. A reason is the sentence of a concept and up to three
facts of it, or the sentence of something unknown. Amounts are in the currency of the credit file, which names none;
AMT_INCOME_TOTAL is an income whose period the file does not say.
"""
_EXAMPLES: dict[str, tuple[float, float, float]] = {
    "share": (0.25, 0.1, 0.0),
    "currency": (45_000.0, 20_000.0, 0.0),
    "days": (40.0, 8.0, -400.0),
    "count": (4.0, 1.0, 0.0),
    "months": (24.0, 12.0, -36.0),
    "flag": (1.0, 0.0, 0.0),
    "score": (0.72, 0.51, 0.14),
    "years": (12.0, 5.0, 0.5),
    "rank": (3.0, 2.0, 1.0),
    "": (1.0, 0.5, 0.0),
}
"""By unit: values of a client, and what is usual."""
_EXAMPLES_BY_FORMATTER: dict[Formatter, tuple[float, ...]] = {
    i18n.format_relative_day: (-400.0, -1500.0),
    i18n.format_relative_month: (-3.0, -30.0),
    i18n.format_age: (58.0, 36.0),
    format_early: (12.0, 2.0, -5.0),
}
"""By formatter, where those of the unit would make no sense."""
_DIRECTIONS: tuple[Direction, Direction] = ("raises", "lowers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare that there are none."""
    parser.set_defaults(run=_run)


def markdown() -> str:
    """Return `docs/wording.md`: tables of all sentences in both languages."""
    parts = [HEADING]
    parts += _table(
        "Reasons: concepts",
        ("code", "concept", "English", "French"),
        (
            (CODES[group], f"{GROUP_LABELS[group]['en']}, {direction}{kind}", *sentences[group, direction])
            for kind, sentences in (("", SENTENCES), (", nothing to quote", SENTENCES_WITHOUT_FACT))
            for group in CODES
            for direction in _DIRECTIONS
        ),
    )
    parts += _table(
        "Reasons: what is unknown, where it raises the risk",
        ("code", "English", "French"),
        ((unknown.code, *_pair(unknown.text(_example_items(unknown)))) for unknown in UNKNOWNS),
    )
    parts += _table("What may be missing", ("fields", "English", "French"), _items())
    parts += _table("Facts", ("feature", "risk", "English", "French"), _facts())
    parts += _table(
        "Facts: not applicable",
        ("where", "English", "French"),
        [
            *((f"{income}, {direction}", *words) for (income, direction), words in WITHOUT_JOB_TEXTS.items()),
            ("FLAG_OWN_CAR is N, raises", *WITHOUT_CAR),
        ],
    )
    parts += _table("Never quoted", ("features", "why"), ((f"`{names}`", why) for names, why in NOT_QUOTED.items()))
    parts += _table(
        "Categories",
        ("column", "category", "English", "French"),
        (
            (column, category, *words)
            for column, labels in CATEGORY_LABELS.items()
            for category, words in labels.items()
        ),
    )
    parts += _table("Rules", ("code", "English", "French"), _rules())
    parts += _table(
        "Rules: measures and fields",
        ("name", "English", "French"),
        [
            *((name, measure.en, measure.fr) for name, measure in MEASURES.items()),
            *((n, *w) for n, w in FIELDS.items()),
        ],
    )
    parts += _table("Other loans", ("where", "English", "French"), _other_loans())
    parts += _table("Warnings", ("kind", "English", "French"), _warnings())
    return "\n".join(parts)


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"## {title}\n", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return [*lines, ""]


def _pair(text: Wording) -> TextPair:
    return text.en, text.fr


def _example_items(unknown: Unknown) -> list[TextPair]:
    """Return the words of a field that is missing under this code; none for a history."""
    if "{}" not in unknown.missing[0]:
        return []
    of_group = (feature for feature in CATALOGUE.values() if feature.group == unknown.group)
    columns = frozenset[str]().union(*(feature.roots for feature in of_group))
    return [next(words for column, words in ITEMS.items() if column in columns)]


def _items() -> Iterator[Sequence[str]]:
    """Yield the words of missing fields, with the first of their columns and how many others have the same."""
    for words in dict.fromkeys(ITEMS.values()):
        first, *others = (name for name in ITEMS if ITEMS[name] == words)
        yield f"{first} and {len(others)} more" if others else first, *words


def _facts() -> Iterator[Sequence[str]]:
    """Yield each quoted feature with an example of each direction in which it makes sense."""
    for name in quoted_features():
        for direction in _DIRECTIONS:
            if (example := _example(name, direction)) is not None:
                yield name, direction, *_pair(describe_fact(name, *example))


def _example(name: str, direction: Direction) -> tuple[dict[str, Value], Value] | None:
    """Return invented values of a client, and what is usual, that make sense in a direction; None where none does."""
    feature = CATALOGUE[name]
    values: Sequence[Value] = feature.categories or _EXAMPLES[feature.unit]
    if not feature.categories:
        quoted = quoted_features()[name]
        values = _EXAMPLES_BY_FORMATTER.get(quoted.formatter, values)
        values = (1.2, 1.05, 0.9) if quoted.quotable.beyond == 1 and feature.unit == "share" else values
    pairs = [(value, usual) for value in values for usual in values if value != usual]
    for value, usual in pairs:
        client: dict[str, Value] = {name: value}
        if share_counts_of([name]) and isinstance(value, float):
            client |= {f"{name}_count": 12 * min(value, 1), f"{name}_of": 12.0}
        if is_sensible(name, client, usual, direction):
            return client, usual
    return None


def _rules() -> Iterator[Sequence[str]]:
    rules = Rules(Rulebook.read(), {})
    for rule in rules.rulebook.rules:
        yield rule.code, rule.text.en, rule.text.fr


def _other_loans() -> Iterator[Sequence[str]]:
    """Yield the sentences of counterfactuals, by examples."""
    yield "granted", *_pair(counterfactual_text.GRANTED)
    asked = {"AMT_CREDIT": 300_000.0, "AMT_ANNUITY": 18_000.0, "AMT_GOODS_PRICE": 320_000.0}
    card = {"NAME_CONTRACT_TYPE": "Revolving loans", "AMT_CREDIT": 300_000.0, "AMT_ANNUITY": 15_000.0}
    smaller = Loan(0.1, 270_000.0, 16_200.0, None, None)
    longer = Loan(0.1, 300_000.0, 12_000.0, 37, 24)
    limit = Loan(0.2, 240_000.0, 12_000.0, None, None)
    for where, application, loan in (("smaller", asked, smaller), ("longer", asked, longer), ("card", card, limit)):
        proposal = counterfactual_text.describe_loan(application, loan)
        for decision in (Decision.REFUSED, Decision.REVIEW):
            text = counterfactual_text.text_of_proposals([proposal], decision)
            yield f"{decision.value}, {where}", *_pair(text)
    both = [counterfactual_text.describe_loan(asked, loan) for loan in (smaller, longer)]
    yield "refused, two loans", *_pair(counterfactual_text.text_of_proposals(both, Decision.REFUSED))
    for decision in (Decision.REFUSED, Decision.REVIEW):
        text = counterfactual_text.text_without_proposal(decision, {"external_scores": 1.0})
        yield f"{decision.value}, none found", *_pair(text)


def _warnings() -> Iterator[Sequence[str]]:
    """Yield the warnings, those of a file's content by the example of an invented file."""
    for text in (missing_fields.TYPICAL, missing_fields.LEARNT, missing_fields.KEY, missing_fields.NOT_READ):
        yield "missing_field", *_pair(text)
    for warning in warnings(CreditFile.model_validate_json(json.dumps(_ODD_FILE))):
        yield warning.kind, *_pair(warning.message)


_ODD_FILE = {
    "application": {
        "SK_ID_CURR": 1,
        "AMT_CREDIT": 300_000.0,
        "AMT_INCOME_TOTAL": 60_000_000.0,
        "DAYS_BIRTH": -14_000,
        "DAYS_EMPLOYED": 365_243,
        "NAME_INCOME_TYPE": "Working",
        "NAME_FAMILY_STATUS": "Unknown",
        "NAME_HOUSING_TYPE": "Castle",
        "SHOE_SIZE": 42,
    },
    "bureau": [{"SK_ID_BUREAU": 1, "CREDIT_CURRENCY": "currency 2", "AMT_CREDIT_SUM_DEBT": -5.0}],
    "bureau_balance": [{"SK_ID_BUREAU": 2, "MONTHS_BALANCE": -1, "STATUS": "0"}],
}


def _run(_: argparse.Namespace, __: Settings) -> int:
    print(markdown())
    return 0
