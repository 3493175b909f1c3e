"""The file of the rules: what it may hold, its version, and the message for a faulty one."""

import re
from pathlib import Path

import pytest

from bento.rules.fields import FIELDS
from bento.rules.measures import MEASURES
from bento.rules.rulebook import DEFAULT_RULES, Rule, Rulebook, RulesError, RuleText

HEAD = "income_months = 1\nusual_margin = 0.1\n"
RULE = """[[rules]]
code = "affordability"
outcome = "review"
measures = ["instalments_to_income"]
maximum = 0.35
text = { en = "Too much.", fr = "Trop." }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.toml"


def _message(file: Path, content: str) -> str:
    file.write_text(content)
    with pytest.raises(RulesError) as caught:
        Rulebook.read(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message
    return message.removeprefix(f"{file}: ")


def test_the_rules_of_the_project_can_be_read():
    rulebook = Rulebook.read()
    assert {rule.outcome for rule in rulebook.rules} == {"impossible", "review"}
    assert all(rule.on for rule in rulebook.rules)


def test_every_rule_is_worded_in_two_different_languages():
    for rule in Rulebook.read().rules:
        assert rule.text.en != rule.text.fr
        assert rule.text.en.endswith(".")
        assert rule.text.fr.endswith(".")


def test_every_measure_and_field_is_worded_in_two_languages():
    for words in (*((measure.en, measure.fr) for measure in MEASURES.values()), *FIELDS.values()):
        assert all(words)


def test_the_version_depends_on_the_rules_and_not_on_comments_or_layout(file: Path):
    content = DEFAULT_RULES.read_text()
    file.write_text("\n\n".join(line for line in content.splitlines() if not line.startswith("#")))
    assert Rulebook.read(file).version == Rulebook.read().version
    file.write_text(content.replace("maximum = 0.35", "maximum = 0.4"))
    assert Rulebook.read(file).version != Rulebook.read().version


def test_a_rule_that_is_off_is_not_active(file: Path):
    file.write_text(HEAD + RULE.replace("outcome", "on = false\noutcome"))
    rulebook = Rulebook.read(file)
    assert len(rulebook.rules) == 1
    assert list(rulebook.active("impossible", "review", "refused")) == []


def test_a_rulebook_is_the_same_after_the_journal():
    rulebook = Rulebook.read()
    again = Rulebook.of_content(rulebook.content)
    assert (again, again.version) == (rulebook, rulebook.version)
    assert Rulebook.none().rules == ()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("income_months = ", "no TOML: Invalid value (at end of document)"),
        ("income_months = 1", "usual_margin: Field required"),
        (HEAD + RULE.replace("0.35", '"much"'), "rule 1, maximum: Input should be a valid number"),
        (HEAD + RULE.replace("0.35", "nan"), "rule 1, maximum: Input should be a finite number"),
        (HEAD + RULE.replace("maximum", "maximun"), "rule 1, maximun: Extra inputs are not permitted"),
        (HEAD + RULE.replace("review", "granted"), "rule 1, outcome: Input should be 'impossible', 'review'"),
        (HEAD + RULE.replace(', fr = "Trop."', ""), "rule 1, text.fr: Field required"),
        (HEAD + RULE.replace('"Trop."', '""'), "rule 1, text.fr: String should have at least 1 character"),
        (HEAD + RULE.replace("maximum = 0.35\n", ""), "rule 1: give a minimum, a maximum, usual = true or unknown"),
        (HEAD + RULE.replace("maximum", "usual = true\nmaximum"), "rule 1: give limits or usual = true, not both"),
        (HEAD + RULE.replace("maximum", "minimum = 1\nmaximum"), "rule 1: minimum must not exceed maximum"),
        (HEAD + RULE.replace("instalments_to_income", "shoe_size"), "rule 1: unknown measure shoe_size; known are"),
        (HEAD + RULE.replace("maximum = 0.35", "usual = true"), "rule 1: no usual range is known of instalments_to_"),
        (HEAD + RULE.replace('"review"', '"impossible"'), "rule 1: only a rule on the application alone can be"),
        (HEAD + RULE.replace('measures = ["inst', 'fields = ["inst'), "rule 1: unknown field instalments_to_income"),
        (HEAD + RULE.replace("measures", 'fields = ["bureau"]\nmeasures'), "rule 1: give either measures or fields"),
        (HEAD + RULE.replace("affordability", "Affordability!"), "rule 1, code: String should match pattern"),
        (HEAD + RULE + RULE, "two rules have the code affordability"),
        (HEAD.replace("1", "0", 1) + RULE, "income_months: Input should be greater than 0"),
    ],
)
def test_a_faulty_file_is_reported_with_rule_and_field(file: Path, content: str, expected: str):
    assert expected in _message(file, content)


def test_a_rule_on_fields_takes_a_minimum_alone():
    text = RuleText(en="Little.", fr="Peu.")
    with pytest.raises(ValueError, match=re.escape("a rule on fields takes a minimum")):
        Rule(code="little", outcome="review", fields=("bureau",), maximum=3, text=text)
    assert Rule(code="little", outcome="review", fields=("bureau",), minimum=1, text=text).features == {
        "bureau_credits"
    }


def test_a_file_that_cannot_be_read_is_reported_in_one_line(file: Path, tmp_path: Path):
    with pytest.raises(RulesError, match=r"rules\.toml: the rules cannot be read: No such file"):
        Rulebook.read(file)
    with pytest.raises(RulesError, match="the rules cannot be read: Is a directory"):
        Rulebook.read(tmp_path)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(RulesError, match="holds characters that are not UTF-8"):
        Rulebook.read(file)
