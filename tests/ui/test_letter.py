import re
import zlib

import pytest

from tests.ui.stand_in import CREDIT_FILE, EXPLANATION, PREDICTION, RULED
from tests.ui.steps import press
from ui import answers, letter
from ui.settings import Settings

LENDER = Settings(lender_name="Banque Été", lender_address="1 rue d'Ici | 75000 Paris", lender_contact="01 02 03 04 05")


def written(language="fr", lender=LENDER, **changes):
    answer = PREDICTION | changes
    prediction = answers.Prediction.model_validate(answer | {"received": answer})
    explanation = answers.Explanation.model_validate(EXPLANATION | {"received": EXPLANATION})
    return letter.written_letter(language, prediction, explanation, CREDIT_FILE, lender)


def text(content: letter.Letter) -> str:
    parts = [*content.sender, content.date, content.reference, content.title, content.legal]
    for section in content.sections:
        parts += [section.heading, *section.paragraphs, *section.items, *section.after]
    return "\n".join(parts).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("language", "contents"),
    [
        (
            "fr",
            (
                "Banque Été",
                "Votre demande de crédit est refusée",
                "crédit de 450 000",
                "traitement automatisé",
                "cette probabilité est de 18,2 %",
                "Vos scores externes augmentent",
                "Avec un crédit de 380 000",
                "crédits auprès d'autres prêteurs : 2",
                "qu'une personne examine votre demande",
                "contester la décision",
                "0198f2c1-7a4e-7b30-9d53-0f6a2f3c1b77, à : Banque Été, 1 rue d'Ici, 75000 Paris, 01 02 03 04 05",
                "Point conseil budget",
                "directive (UE) 2023/2225",
                "25/11/2026",
            ),
        ),
        (
            "en",
            (
                "Your application for credit is refused",
                "automated processing",
                "have a person examine",
                "contest the decision",
                "debt advice",
                "Directive (EU) 2023/2225",
            ),
        ),
    ],
)
def test_a_refusal_says_all_that_the_law_asks_for(language, contents):
    shown = text(written(language))

    assert [content for content in contents if content not in shown] == []


def test_a_granted_credit_has_neither_debt_advice_nor_a_way_to_another_decision():
    shown = text(written(decision="granted", probability_of_default=0.02))

    assert "est acceptée" in shown
    assert "Point conseil budget" not in shown
    assert "Ce qui pourrait changer" not in shown


def test_a_decision_by_rule_quotes_the_rule():
    shown = text(written(**RULED, decision="refused"))

    assert "une règle du prêteur est décisive" in shown
    assert "Vos mensualités prendraient 40 % du revenu." in shown
    assert "5,0 %" not in shown


def test_a_lender_without_an_address_names_the_branch():
    assert "l'agence qui vous a reçu" in text(written(lender=Settings()))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pdf_is_tagged_titled_and_in_its_language(language):
    document = letter.pdf(written(language))

    streams = re.findall(rb"stream\r?\n(.*?)endstream", document, re.DOTALL)
    content = document + b"".join(map(_inflated, streams))
    assert document.startswith(b"%PDF-")
    assert f"/Lang({language})".encode() in content.replace(b"/Lang (", b"/Lang(")
    assert b"/MarkInfo" in content
    assert b"/StructTreeRoot" in content
    assert b"pdfuaid" in content


def test_foreign_text_is_no_markup_in_the_letter():
    odd = {"fr": '#panic("x") *b* http://evil.example $a$', "en": "x"}
    content = written(reasons=[{"code": "R01", "direction": "raises", "text": odd}])

    assert letter.pdf(content).startswith(b"%PDF-")
    assert b"/URI" not in letter.pdf(content)
    assert "#panic(&quot;x&quot;) *b* http://evil.example $a$" in letter.markup(content)
    assert "<a" not in letter.markup(content).replace("<article", "")


def test_the_letter_comes_with_the_decision_in_the_clients_language(page):
    opened = press(page(), "decide")
    assert '<article lang="fr">' in letters(opened)
    assert "<h3>Votre demande de crédit est refusée</h3>" in letters(opened)

    opened.radio(key="letter_language/fr").set_value("en").run()

    assert '<article lang="en">' in letters(opened)
    assert "Dear Sir or Madam" in letters(opened)


def letters(opened) -> str:
    return "".join(element.proto.body for element in opened.get("html") if "<article" in element.proto.body)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""
