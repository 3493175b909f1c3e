"""The letter that tells a client the decision, its reasons and the client's rights; as text, and as tagged PDF."""

import html
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typst

from ui import messages
from ui.answers import Explanation, Prediction
from ui.client import CreditFile
from ui.settings import Settings

PART = "article"
"""Element of HTML that holds a letter."""
TEMPLATE = Path(__file__).parent / "letter.typ"
SCORES = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")


@dataclass(frozen=True)
class Section:
    """A part of the letter; without a heading it continues the part before."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    """Paragraphs after the items."""


@dataclass(frozen=True)
class Letter:
    """A letter in one language, as plain text without markup."""

    language: str
    sender: tuple[str, ...]
    date: str
    reference: str
    title: str
    sections: tuple[Section, ...]
    legal: str


def written_letter(
    language: str,
    prediction: Prediction,
    explanation: Explanation | None,
    credit_file: CreditFile,
    settings: Settings,
) -> Letter:
    """Return the letter on a recorded decision, in the client's language."""
    say = partial(messages.say, language)
    address = tuple(line.strip() for line in settings.lender_address.split("|") if line.strip())
    amount = credit_file["application"].get("AMT_CREDIT")
    is_number = isinstance(amount, int | float) and not isinstance(amount, bool)
    asked = [say("letter_amount", amount=messages.number(language, amount))] if is_number else []
    rules = tuple(rule.text[language] for rule in prediction.rules)
    reasons = tuple(reason.text[language] for reason in prediction.reasons)
    sections = [
        Section("", (say("letter_hello"), *asked, say(f"letter_{prediction.decision}"))),
        Section(say("letter_automated_heading"), (say("letter_automated"), _grounds(language, prediction))),
        Section(say("letter_reasons_heading"), items=(*rules, *reasons)),
    ]
    if explanation is not None and prediction.decision != "granted":
        sections.append(Section(say("letter_change_heading"), (explanation.counterfactual.text[language],)))
    sections.append(_data_section(language, credit_file))
    contact = ", ".join((settings.lender_name, *address, settings.lender_contact.strip())).strip(", ")
    if not address and not settings.lender_contact.strip():
        contact = say("letter_no_contact")
    sections.append(
        Section(
            say("letter_rights_heading"),
            (say("letter_rights"),),
            (say("letter_right_human"), say("letter_right_heard"), say("letter_right_explained")),
            (say("letter_how", number=prediction.decision_id, contact=contact), say("letter_complaint")),
        )
    )
    if prediction.decision == "refused":
        sections.append(Section(say("letter_debt_heading"), (say("letter_debt"),)))
    return Letter(
        language=language,
        sender=(settings.lender_name, *address, *filter(None, [settings.lender_contact.strip()])),
        date=say("letter_date", moment=messages.day(language, prediction.decided_at)),
        reference=say("letter_reference", client=prediction.client, number=prediction.decision_id),
        title=say(f"letter_title_{prediction.decision}"),
        sections=tuple(section for section in sections if section.paragraphs or section.items),
        legal=say("letter_legal"),
    )


def markup(letter: Letter) -> str:
    """Return a letter as HTML in its language, in which no text becomes a link or markup."""
    parts = [
        _element("p", *letter.sender),
        _element("p", letter.date, letter.reference),
        _element("h3", letter.title),
    ]
    for section in letter.sections:
        parts += [_element("h4", section.heading)] if section.heading else []
        parts += [_element("p", paragraph) for paragraph in section.paragraphs]
        parts += ["<ul>", *(_element("li", item) for item in section.items), "</ul>"] if section.items else []
        parts += [_element("p", paragraph) for paragraph in section.after]
    parts.append(_element("p", letter.legal))
    return f'<{PART} lang="{letter.language}">{"".join(parts)}</{PART}>'


def pdf(letter: Letter) -> bytes:
    """Return a letter as PDF/UA: tagged for screen readers; its texts reach the template as data, never as markup."""
    content = {
        "language": letter.language,
        "sender": letter.sender,
        "date": letter.date,
        "reference": letter.reference,
        "title": letter.title,
        "sections": [vars(section) for section in letter.sections],
        "legal": letter.legal,
    }
    document = typst.compile(
        TEMPLATE,
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"letter": json.dumps(content)},
        pdf_standards="ua-1",
    )
    assert isinstance(document, bytes)  # noqa: S101 - one file for the format PDF
    return document


def _element(name: str, *lines: str) -> str:
    return f"<{name}>{'<br>'.join(map(html.escape, lines))}</{name}>"


def _grounds(language: str, prediction: Prediction) -> str:
    if prediction.decided_by_rule:
        return messages.say(language, "letter_rule")
    probability, threshold = messages.percentages(language, prediction.probability, prediction.threshold)
    return messages.say(language, "letter_risk", probability=probability, threshold=threshold)


def _data_section(language: str, credit_file: CreditFile) -> Section:
    """Return which data were used, and where they came from."""
    say = partial(messages.say, language)
    given = {name for name, value in credit_file["application"].items() if value is not None}
    counts = {
        "application": len(given - {*SCORES, "SK_ID_CURR"}),
        "scores": len(given & set(SCORES)),
        "bureau": len(credit_file.get("bureau", ())),
        "previous": len(credit_file.get("previous_application", ())),
    }
    items = tuple(say(f"letter_data_{kind}", count=count) for kind, count in counts.items() if count)
    return Section(say("letter_data_heading"), items=items, after=(say("letter_data_sources"),))
