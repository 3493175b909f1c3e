import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bento.__main__ import main
from bento.data.cleaning import IS_OPEN, clean
from bento.data.credit_file import CreditFile, frames
from bento.data.readers import read_application, read_client, read_history
from bento.data.tables import APPLICATION, HISTORIES, TABLES, Column
from bento.features import build
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, count_name, needed_columns, share_counts_of, total_name
from bento.features.definitions import GROUP_LABELS
from bento.features.listing import markdown
from tests.support.clients import cleaned_tables, credit_file
from tests.support.sampling import examples, sampled

ONLINE = 40
"""Clients that are also scored one by one."""

Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def tables(synthetic_folder: Path) -> Tables:
    applications = read_application(synthetic_folder, "application_train")
    histories = {name: read_history(synthetic_folder, name) for name in HISTORIES}
    return clean({"application": applications, **histories})


@pytest.fixture(scope="module")
def features(tables: Tables) -> pl.DataFrame:
    return build_features(tables)


def _of_clients(tables: Tables, clients: pl.Series) -> Tables:
    ours = {
        name: frame.filter(pl.col("SK_ID_CURR").is_in(clients.to_list()))
        for name, frame in tables.items()
        if "SK_ID_CURR" in frame.columns
    }
    return ours | {"bureau_balance": tables["bureau_balance"].join(ours["bureau"], on="SK_ID_BUREAU", how="semi")}


def _assert_same(features: pl.DataFrame, expected: pl.DataFrame) -> None:
    assert_frame_equal(features, expected, rel_tol=1e-9, abs_tol=1e-12)


def test_the_columns_are_those_of_the_catalogue_in_order(features: pl.DataFrame):
    assert features.columns == ["SK_ID_CURR", *CATALOGUE]


def test_numbers_are_finite_or_null_and_categories_known(features: pl.DataFrame):
    for name, feature in CATALOGUE.items():
        if feature.is_category:
            assert set(features[name].drop_nulls()) <= set(feature.categories), name
        else:
            assert features[name].dtype == pl.Float64, name
            assert features[name].drop_nulls().is_finite().all(), name


def test_no_feature_is_constant(features: pl.DataFrame):
    constant = [name for name in CATALOGUE if features[name].n_unique() == 1]
    assert constant == []


def test_groups_and_features_have_a_meaning_in_both_languages():
    for feature in CATALOGUE.values():
        assert set(GROUP_LABELS[feature.group]) == {"en", "fr"}
        assert feature.en != feature.fr or feature.en in ("Documents",), feature.name
        assert feature.risk in (-1, 0, 1)


def test_neither_the_client_number_nor_the_gender_is_a_feature():
    forbidden = {"SK_ID_CURR", *(column.name for column in APPLICATION if column.audit_only)}
    for feature in CATALOGUE.values():
        assert not forbidden & feature.roots, feature.name
    words = {word for feature in CATALOGUE.values() for word in feature.categories}
    assert "Maternity leave" not in words


def test_one_client_online_gives_the_same_as_all_at_once(synthetic_folder: Path, features: pl.DataFrame):
    for client in features["SK_ID_CURR"].head(ONLINE).to_list():
        body = json.dumps(credit_file(read_client(synthetic_folder, "application_train", client)))
        online = build_features(clean(frames([CreditFile.model_validate_json(body)])))
        _assert_same(online, features.filter(pl.col("SK_ID_CURR") == client))


def test_chunks_of_clients_give_the_same_as_all_at_once(tables: Tables, features: pl.DataFrame):
    clients = features["SK_ID_CURR"]
    chunks = [build_features(_of_clients(tables, clients[start::3])) for start in range(3)]
    _assert_same(pl.concat(chunks).sort("SK_ID_CURR"), features.sort("SK_ID_CURR"))


@pytest.mark.parametrize(("rows", "clients"), [(97, 10_000), (1, 3)])
def test_ranges_of_clients_give_the_same_as_all_at_once(
    tables: Tables, features: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, rows: int, clients: int
):
    monkeypatch.setattr(build, "ROWS_AT_ONCE", rows)
    applications = tables["application"].sample(fraction=1.0, shuffle=True, seed=1).head(clients)

    in_ranges = build_features(tables | {"application": applications})

    assert in_ranges["SK_ID_CURR"].equals(applications["SK_ID_CURR"])
    expected = applications.select("SK_ID_CURR").join(features, on="SK_ID_CURR", maintain_order="left")
    assert_frame_equal(in_ranges, expected, check_exact=True)


def test_the_order_of_clients_and_rows_has_no_effect(tables: Tables, features: pl.DataFrame):
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=3) for name, frame in tables.items()}
    _assert_same(build_features(shuffled).sort("SK_ID_CURR"), features.sort("SK_ID_CURR"))


def test_a_client_without_history_gets_counts_of_zero(tables: Tables):
    empty = {name: frame if name == "application" else frame.clear() for name, frame in tables.items()}
    alone = build_features({**empty, "application": tables["application"].head(1)})
    _assert_same(build_features(empty).head(1), alone)
    row = alone.row(0, named=True)
    assert row["bureau_credits"] == row["installments_count"] == row["bureau_debt_sum"] == 0
    assert row["installments_days_late_mean"] is None


def test_only_the_named_features_are_built(tables: Tables, features: pl.DataFrame):
    names = ["card_cash_share", "application_credit", "bureau_debt_to_income", "bureau_balance_months"]
    some = build_features(tables, names)
    assert sorted(some.columns) == sorted(["SK_ID_CURR", *names])
    assert_frame_equal(some.select(names), features.select(names))
    with pytest.raises(KeyError, match="no such feature: shoe_size"):
        build_features(tables, ["shoe_size"])


def test_all_features_need_only_the_needed_columns(tables: Tables, features: pl.DataFrame):
    needed = needed_columns()
    added = {"previous_application": [IS_OPEN]}
    assert_frame_equal(
        build_features({name: frame.select(*needed[name], *added.get(name, [])) for name, frame in tables.items()}),
        features,
    )
    assert "CODE_GENDER" not in needed["application"]


def test_each_feature_needs_only_its_needed_columns(tables: Tables, features: pl.DataFrame):
    few = _of_clients(tables, features["SK_ID_CURR"].head(30))
    for name in sampled(CATALOGUE):
        needed = needed_columns([name])
        opens = [IS_OPEN] if "DAYS_LAST_DUE" in needed["previous_application"] else []
        some = {
            table: frame.select(*needed[table], *(opens if table == "previous_application" else []))
            for table, frame in few.items()
        }
        _assert_same(build_features(some, [name]).select(name), features.head(30).select(name))


def test_age_is_flagged_wherever_the_date_of_birth_is_read():
    for feature in CATALOGUE.values():
        sources = [CATALOGUE[root] for root in feature.roots if root in CATALOGUE]
        reads_it = "DAYS_BIRTH" in feature.roots or any(source.uses_age for source in sources)
        assert feature.uses_age == reads_it, feature.name


def test_a_monotone_feature_has_a_direction():
    assert all(feature.risk for feature in CATALOGUE.values() if feature.monotone)
    assert sum(feature.monotone for feature in CATALOGUE.values()) > 20


def test_the_printed_catalogue_is_what_is_built(features: pl.DataFrame, capsys: pytest.CaptureFixture[str]):
    assert main(["features", "--format", "csv"]) == 0
    printed = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["name"] for row in printed] == features.columns[1:]
    assert {row["table"] for row in printed} == {*TABLES, "combined"}
    assert {row["group"] for row in printed} == set(GROUP_LABELS)


def test_the_documented_catalogue_is_the_present_one():
    assert Path("docs/features.md").read_text() == markdown() + "\n"


def test_share_counts_are_the_counts_behind_shares(tables: Tables):
    shares = [name for name in CATALOGUE if share_counts_of([name])]
    built = build_features(tables, [*shares, *share_counts_of(shares)])
    assert len(shares) > 70
    assert "installments_late_over_15d_share_365d" in shares
    assert "previous_insured_share" in shares  # a flag of the data, where the others are tests
    for name in shares:
        counted = built.select(share=name, count=count_name(name), of=total_name(name))
        assert counted["of"].max() > 0, name
        assert counted.filter(pl.col("of") == 0)["share"].null_count() == counted["of"].eq(0).sum(), name
        some = counted.filter(pl.col("of") > 0)
        assert (some["count"] / some["of"] - some["share"]).abs().max() < 1e-12, name
        assert (some["count"] == some["count"].round()).all(), name


def test_a_mean_of_amounts_or_ratios_has_no_share_counts():
    assert share_counts_of(["bureau_debt_ratio_mean", "bureau_debt_mean", "card_cash_share", "application_email"]) == []


def test_share_counts_are_not_in_the_catalogue():
    assert not CATALOGUE.keys() & set(share_counts_of(CATALOGUE))
    assert set(build_features(cleaned_tables()).columns) == {"SK_ID_CURR", *CATALOGUE}


def test_share_counts_of_one_client_are_the_same_as_among_many(synthetic_folder: Path, tables: Tables):
    names = [*CATALOGUE, *share_counts_of(CATALOGUE)]
    columns = needed_columns(names)
    together = build_features(tables, names)
    for client in together["SK_ID_CURR"].head(10).to_list():
        body = json.dumps(credit_file(read_client(synthetic_folder, "application_train", client)))
        alone = build_features(clean(frames([CreditFile.model_validate_json(body)], columns)), names)
        _assert_same(alone, together.filter(pl.col("SK_ID_CURR") == client))


def test_share_counts_need_the_same_columns_as_their_shares():
    for name in CATALOGUE:
        if counts := share_counts_of([name]):
            assert needed_columns(counts) == needed_columns([name]), name


def test_a_client_without_history_has_share_counts_of_zero():
    names = share_counts_of(CATALOGUE)
    assert set(build_features(cleaned_tables(), names).row(0)[1:]) == {0.0}


def test_months_of_unknown_credits_are_left_out():
    months = [{"SK_ID_BUREAU": 5, "MONTHS_BALANCE": -1, "STATUS": "3"}]
    assert_frame_equal(build_features(cleaned_tables(bureau_balance=months)), build_features(cleaned_tables()))


def test_an_overflowing_sum_is_the_same_alone_and_together():
    month = {"SK_ID_PREV": 1, "MONTHS_BALANCE": -1, "AMT_DRAWINGS_CURRENT": 1.0, "AMT_PAYMENT_CURRENT": 10.0}
    tables = cleaned_tables(credit_card_balance=[month, month | {"MONTHS_BALANCE": -2}])
    # No request may hold such an amount, but a file of data may.
    drawn = pl.Series("AMT_DRAWINGS_CURRENT", [1.5e308, 1.5e308])
    tables |= {"credit_card_balance": tables["credit_card_balance"].with_columns(drawn)}
    alone = build_features(tables)
    other = tables["application"].with_columns(SK_ID_CURR=pl.lit(2, pl.Int64))
    together = build_features(tables | {"application": pl.concat([tables["application"], other])})
    _assert_same(alone, together.head(1))
    assert alone["card_paid_to_drawn"].to_list() == [0]
    assert alone["card_drawn_mean"].to_list() == [None]


@pytest.mark.parametrize("names", [["application_housing"], ["bureau_debt_to_income"], [], ["card_cash_share"]])
def test_any_names_give_the_same_columns_alone_and_together(tables: Tables, names: list[str]):
    few = _of_clients(tables, tables["application"]["SK_ID_CURR"].head(2))
    alone = _of_clients(few, few["application"]["SK_ID_CURR"].head(1))
    assert_frame_equal(build_features(alone, names), build_features(few, names).head(1))


def test_a_trend_is_the_least_squares_slope():
    months, days = [-5, -3, -2, -1], [0, 4, 3, 9]
    rows = [
        {"SK_ID_PREV": 1, "MONTHS_BALANCE": month, "SK_DPD_DEF": day} for month, day in zip(months, days, strict=True)
    ]
    row = build_features(cleaned_tables(POS_CASH_balance=rows)).row(0, named=True)
    assert row["pos_days_past_due_slope"] == pytest.approx(np.polyfit(months, days, 1)[0])


def _whole_numbers(column: Column) -> st.SearchStrategy[int]:
    """Whole numbers that a column may hold, its codes for unknown among them."""
    low = -(10**6) if column.minimum is None else max(column.minimum, -(10**6))
    high = next((at for at in (column.maximum_beside_codes, column.maximum) if at is not None), 10**6)
    numbers = st.integers(int(low), int(min(high, 10**6)))
    return numbers | st.sampled_from([int(code) for code in column.missing_codes]) if column.missing_codes else numbers


@st.composite
def _history_rows(draw: st.DrawFn, name: str) -> list[dict[str, object]]:
    """Rows with every column null, at a bound, or in between; some of them twice, or of a table with a key nearly."""
    row = st.fixed_dictionaries(
        {
            column.name: st.none()
            | (
                st.sampled_from([*column.categories, "something else"])
                if column.kind == "category"
                else _whole_numbers(column)
            )
            for column in TABLES[name]
            if column.name != "SK_ID_CURR"
        }
    )
    rows = draw(st.lists(row, max_size=4))
    again = [row | dict.fromkeys(TABLES[name].key) for row in rows[: draw(st.integers(0, 2))]]
    keys = [tuple(map(row.get, TABLES[name].key)) for row in rows]
    return [row for at, row in enumerate(rows) if not keys[at] or keys[at] not in keys[:at]] + again


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_two_credit_files_give_the_same_alone_and_together(data: st.DataObject):
    required = {"AMT_CREDIT": 1.0, "AMT_ANNUITY": 1.0, "AMT_INCOME_TOTAL": 1.0, "DAYS_BIRTH": -1}
    files = []
    for client in (1, 2):
        content: dict[str, object] = {"application": {"SK_ID_CURR": client, **required}}
        for name in (
            "bureau",
            "previous_application",
            "POS_CASH_balance",
            "installments_payments",
            "credit_card_balance",
        ):
            content[name] = data.draw(_history_rows(name), label=name)
        for number, row in enumerate(content["bureau"]):  # type: ignore[arg-type, var-annotated]
            row["SK_ID_BUREAU"] = 10 * client + number
        content["bureau_balance"] = [
            {"SK_ID_BUREAU": 10 * client, "MONTHS_BALANCE": -month, "STATUS": status}
            for month, status in enumerate(data.draw(st.lists(st.sampled_from("0123CX"), max_size=3)))
        ]
        files.append(CreditFile.model_validate_json(json.dumps(content)))
    together = build_features(clean(frames(files)))
    _assert_same(pl.concat([build_features(clean(frames([file]))) for file in files]), together)
