"""The expressions of workflows have the values that GitHub gives them."""

import pytest

from tests.walk.expressions import evaluate, filled, holds

CONTEXTS = {
    "vars": {"URI": "", "REGION": "eu"},
    "inputs": {"new-data": True, "days": None},
    "steps": {"pushed": {"outputs": {"page-image": "p"}}},
}
FUNCTIONS = {
    "success": lambda: True,
    "failure": lambda: False,
    "always": lambda: True,
    "hashFiles": lambda path: path[:1],
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("vars.REGION", "eu"),
        ("steps.pushed.outputs.page-image", "p"),
        ("steps.none.outputs.x", None),
        ("vars.URI == ''", True),
        ("vars.URI == '' && !inputs.new-data", False),
        ("inputs.new-data && 'yes' || ''", "yes"),
        ("inputs.days || '7'", "7"),
        ("hashFiles('build/a') != ''", True),
        ("(vars.URI || vars.REGION) == 'eu'", True),
        ("'it''s'", "it's"),
    ],
)
def test_an_expression_has_its_value(text: str, value: object):
    assert evaluate(text, CONTEXTS, FUNCTIONS) == value


@pytest.mark.parametrize("text", ["unknown.x", "vars.URI ==== ''", "vars.URI 'a'", "unknown()"])
def test_what_cannot_be_read_is_an_error(text: str):
    with pytest.raises((ValueError, KeyError)):
        evaluate(text, CONTEXTS, FUNCTIONS)


def test_values_are_filled_into_a_text():
    assert filled("a ${{ vars.REGION }} b ${{ inputs.new-data }}", CONTEXTS, FUNCTIONS) == "a eu b true"


def test_after_a_failure_only_steps_run_that_ask_for_it():
    failed = FUNCTIONS | {"success": lambda: False, "failure": lambda: True}

    assert not holds("vars.REGION != ''", CONTEXTS, failed)
    assert holds("always()", CONTEXTS, failed)
    assert holds("failure() && vars.REGION != ''", CONTEXTS, failed)
    assert not holds("failure()", CONTEXTS, FUNCTIONS)
