"""What may be held against a client: families that may be left out, directions, and the published decisions."""

import pytest

from bento.features.catalogue import CATALOGUE
from bento.scoring.wording import facts
from research.reporting.publish import PUBLISHED
from research.results import QUOTABLE_FILE, QuotableStudy, read
from research.training import quoted
from research.training.boosting import monotone_constraint_params
from research.training.cross_fitting import catalogue_names
from research.training.lawful import READINGS
from research.training.quoted import DIRECTION_SETS, OTHER, direction, families, features_of_families
from tests.research.made_up import declared_columns


def test_the_families_hold_all_that_cannot_be_quoted_once():
    named = [name for names in families().values() for name in names]

    unquoted = {name for name in CATALOGUE if not facts.quoted_as(name)}
    assert len(named) == len(set(named))
    assert set(named) == unquoted | {"application_organization"}
    assert all(names for names in families().values())


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("application_document_3", "documents"),
        ("application_documents", "documents"),
        ("application_hour", "hour and contact flags"),
        ("application_email", "hour and contact flags"),
        ("application_building_fields_missing", "building"),
        ("application_acquaintances_default_30d", "acquaintances"),
        ("installments_days_early_std", "spreads and trends"),
        ("installments_days_late_ratio_90d_365d", "spreads and trends"),
        ("installments_card_share", OTHER),
    ],
)
def test_a_feature_is_in_the_family_of_its_subject(name: str, family: str):
    assert [one for one, names in families().items() if name in names] == [family]


def test_a_building_declared_unsafe_is_in_no_family():
    assert all("application_building_unsafe" not in names for names in families().values())


def test_no_model_is_given_what_is_left_out():
    left_out = features_of_families(["building", "documents"])

    names = catalogue_names(with_age=True, left_out=["building", "documents"])

    assert names == [name for name in CATALOGUE if name not in left_out]
    assert not features_of_families(quoted.LEFT_OUT) & set(catalogue_names(with_age=True))


def test_a_strict_reading_of_the_law_leaves_out_what_is_doubtful():
    usual, strict = (set(catalogue_names(with_age=False, lawful=reading)) for reading in READINGS)

    assert strict < usual
    assert {"application_income", "application_employed_years", "application_ext_source_2"} <= strict
    assert (
        not {
            "application_phone_change_years",
            "application_document_3",
            "application_organization",
            "application_acquaintances_default_30d",
            "application_employer_phone",
            "application_region_rating",
            "application_family_status",
        }
        & strict
    )
    assert {"application_phone_change_years", "application_region_rating"} <= usual


def test_directions_grow_from_set_to_set_and_never_contradict():
    for name, feature in CATALOGUE.items():
        signs = [direction(name, chosen) for chosen in DIRECTION_SETS]
        assert signs[0] == (feature.risk if feature.monotone else 0)
        assert [sign for sign in signs if sign] == [signs[-1]] * sum(sign != 0 for sign in signs)
        assert signs == sorted(signs, key=abs)


def test_a_direction_is_that_in_which_the_feature_is_quoted():
    for name, feature in facts.quoted_features().items():
        sign, higher = direction(name, "quoted"), feature.quotable.higher
        assert (sign, higher) in {(1, "raises"), (-1, "lowers"), (0, "either")}, name


@pytest.mark.parametrize(
    ("name", "signs"),
    [
        ("application_ext_source_2", [-1, -1, -1]),
        ("application_employed_years", [0, -1, -1]),
        ("installments_days_early_mean", [0, 0, -1]),
        ("application_income", [0, 0, -1]),
        ("application_credit", [0, 0, 0]),
        ("installments_underpaid_slope_365d", [0, 0, 0]),  # a trend is never quoted
        ("application_occupation", [0, 0, 0]),
    ],
)
def test_directions_of_a_feature(name: str, signs: list[int]):
    assert [direction(name, chosen) for chosen in DIRECTION_SETS] == signs


def test_boosters_are_held_to_the_directions_asked_for():
    columns = declared_columns(["application_employed_years", "installments_days_early_mean"])

    assert monotone_constraint_params(columns, "certain") == {}
    assert monotone_constraint_params(columns, "declared")["monotone_constraints"] == [-1, 0]
    assert monotone_constraint_params(columns, "quoted")["monotone_constraints"] == [-1, -1]


def test_the_defaults_are_those_that_the_published_prices_decided():
    decided = read(QuotableStudy, PUBLISHED / QUOTABLE_FILE)

    assert set(decided.left_out) == set(quoted.LEFT_OUT)
    assert decided.directions == quoted.DIRECTIONS
