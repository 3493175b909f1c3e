"""The synthetic population keeps the shape, the ties and the story of the real data."""

import errno
import json

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from bento.data.tables import HISTORIES, OPEN_ENDED, TABLES
from research.synthetic import generate, population, write
from research.synthetic.calibration_statistics import statistics
from research.synthetic.fidelity_metrics import auc, ks_distance

CLIENTS = 1500


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return generate(CLIENTS)


@pytest.fixture(scope="module")
def applications(tables) -> pl.DataFrame:
    return pl.concat([tables["application_train"].drop("TARGET"), tables["application_test"]])


def test_tables_have_the_declared_columns(tables):
    assert list(tables) == list(population.TABLES)
    for name in HISTORIES:
        assert dict(tables[name].schema) == TABLES[name].schema
    assert dict(tables["application_test"].schema) == TABLES["application"].schema
    assert tables["application_train"].columns[:2] == ["SK_ID_CURR", "TARGET"]
    assert dict(tables["application_train"].drop("TARGET").schema) == TABLES["application"].schema
    assert tables["application_train"].schema["TARGET"] == pl.Int64


def test_values_are_within_the_declared_ranges_and_categories(tables, applications):
    for name, frame in (("application", applications), *((name, tables[name]) for name in HISTORIES)):
        for column in TABLES[name]:
            values = frame[column.name].drop_nulls()
            if column.categories:
                assert set(values.unique()) <= set(column.categories), column.name
            if column.minimum is not None and len(values):
                assert values.min() >= column.minimum, column.name
            if column.maximum is not None and len(values):
                assert values.max() <= column.maximum, column.name


def test_required_values_are_there(applications, tables):
    for name, frame in (("application", applications), *((name, tables[name]) for name in HISTORIES)):
        for column in TABLES[name]:
            if column.required:
                assert frame[column.name].null_count() == 0


def test_test_share_and_identifiers(tables):
    train, test = tables["application_train"]["SK_ID_CURR"], tables["application_test"]["SK_ID_CURR"]
    assert len(test) == round(CLIENTS * 48_744 / 356_255)
    assert sorted([*train, *test]) == list(range(100_002, 100_002 + CLIENTS))
    assert train.is_sorted()
    assert 100_002 + CLIENTS - 200 > test[0] > 100_002  # spread over the clients, not at one end


def test_the_full_size_has_the_published_rows():
    train = population.train_clients(356_255, 1)
    assert (int(train.sum()), int((~train).sum())) == (307_511, 48_744)


def test_same_seed_same_data(tables):
    again = generate(CLIENTS)
    for name, frame in tables.items():
        assert_frame_equal(frame, again[name])
    other = generate(CLIENTS, seed=2)["application_train"]
    assert not other["EXT_SOURCE_2"].equals(tables["application_train"]["EXT_SOURCE_2"])


def test_chunks_do_not_depend_on_the_number_of_workers(monkeypatch):
    monkeypatch.setattr(population, "CHUNK", 300)
    two = generate(700)
    monkeypatch.setattr(population, "WORKERS", 1)
    one = generate(700)
    for name, frame in two.items():
        assert_frame_equal(frame, one[name])
    for table, key in (("bureau", "SK_ID_BUREAU"), ("previous_application", "SK_ID_PREV")):
        assert one[table][key].is_unique().all()


@pytest.mark.parametrize("clients", [1, 2, 7])
def test_few_clients(clients):
    tables = generate(clients, seed=3)
    assert len(tables["oracle"]) == clients
    assert len(tables["application_train"]) + len(tables["application_test"]) == clients


@pytest.mark.parametrize(("clients", "seed", "word"), [(0, 1, "clients"), (-5, 1, "clients"), (10, -1, "seed")])
def test_bad_arguments(tmp_path, clients, seed, word):
    with pytest.raises(ValueError, match=word):
        generate(clients, seed)
    with pytest.raises(ValueError, match=word):
        write(tmp_path / "data", clients, seed)
    assert list(tmp_path.iterdir()) == []


def test_keys_are_unique_and_parents_exist(tables, applications):
    clients = applications["SK_ID_CURR"]
    for name in HISTORIES:
        table, frame = TABLES[name], tables[name]
        if table.key:
            assert not frame.select(table.key).is_duplicated().any(), name
        if "SK_ID_CURR" in frame.columns:
            assert frame["SK_ID_CURR"].is_in(clients.implode()).all(), name
            assert frame["SK_ID_CURR"].is_sorted(), name
    loans = tables["previous_application"].select("SK_ID_PREV", "SK_ID_CURR")
    for name in ("POS_CASH_balance", "installments_payments", "credit_card_balance"):
        rows = tables[name].select("SK_ID_PREV", "SK_ID_CURR").unique()
        assert len(rows.join(loans, on=["SK_ID_PREV", "SK_ID_CURR"])) == len(rows), name


def test_a_tenth_of_the_balances_matches_no_credit(tables):
    matched = tables["bureau_balance"]["SK_ID_BUREAU"].is_in(tables["bureau"]["SK_ID_BUREAU"].implode())
    assert 0.05 < 1 - matched.mean() < 0.18


def test_rules_of_the_form(applications):
    a = applications
    retired = a["DAYS_EMPLOYED"] == OPEN_ENDED
    assert (retired == (a["NAME_INCOME_TYPE"] == "Pensioner")).mean() > 0.999
    assert retired.equals(a["ORGANIZATION_TYPE"] == "XNA", check_names=False)
    assert a.filter(retired)["OCCUPATION_TYPE"].null_count() == retired.sum()
    assert (a.filter(retired)["FLAG_EMP_PHONE"] == 0).all()
    assert a.filter(pl.col("FLAG_OWN_CAR") == "N")["OWN_CAR_AGE"].is_null().all()
    assert (a["CNT_FAM_MEMBERS"] > a["CNT_CHILDREN"]).all()
    married = a["NAME_FAMILY_STATUS"].is_in(["Married", "Civil marriage"])
    assert (a.filter(married)["CNT_FAM_MEMBERS"] == a.filter(married)["CNT_CHILDREN"] + 2).all()
    assert (a["AMT_CREDIT"] >= a["AMT_GOODS_PRICE"].fill_null(0) - 5).all()
    assert (a.filter(~retired)["DAYS_EMPLOYED"] > a.filter(~retired)["DAYS_BIRTH"]).all()
    assert (a["DAYS_REGISTRATION"] >= a["DAYS_BIRTH"]).all()
    assert (a["DEF_30_CNT_SOCIAL_CIRCLE"] <= a["OBS_30_CNT_SOCIAL_CIRCLE"]).drop_nulls().all()
    assert (a["DEF_60_CNT_SOCIAL_CIRCLE"] <= a["DEF_30_CNT_SOCIAL_CIRCLE"]).drop_nulls().all()
    cards = a.filter(pl.col("NAME_CONTRACT_TYPE") == "Revolving loans")
    assert (cards["AMT_ANNUITY"] * 20 - cards["AMT_CREDIT"]).drop_nulls().abs().max() < 1
    groups = statistics()["correlation"]["missing_groups"]
    for group in (groups["BASEMENTAREA_AVG"], groups["AMT_REQ_CREDIT_BUREAU_HOUR"]):
        assert a.select(pl.col(name).is_null().alias(name) for name in group[:3]).unique().height == 2


def test_building_statistics_nearly_agree(applications):
    pair = applications.select("APARTMENTS_AVG", "APARTMENTS_MEDI").drop_nulls()
    assert pair.select(pl.corr("APARTMENTS_AVG", "APARTMENTS_MEDI")).item() > 0.95


def test_bureau_tells_one_story(tables):
    bureau = tables["bureau"]
    closed = pl.col("CREDIT_ACTIVE") == "Closed"
    assert bureau.filter(closed)["DAYS_ENDDATE_FACT"].null_count() == 0
    assert bureau.filter(pl.col("CREDIT_ACTIVE") == "Active")["DAYS_ENDDATE_FACT"].is_null().all()
    assert (bureau["DAYS_ENDDATE_FACT"] >= bureau["DAYS_CREDIT"]).drop_nulls().all()
    assert (bureau["DAYS_CREDIT_UPDATE"] >= bureau["DAYS_CREDIT"]).mean() > 0.999  # the data's entry errors
    assert (bureau["AMT_CREDIT_MAX_OVERDUE"] >= bureau["AMT_CREDIT_SUM_OVERDUE"]).drop_nulls().all()
    months = tables["bureau_balance"].join(bureau, on="SK_ID_BUREAU")
    assert (months["MONTHS_BALANCE"] * 30.44 >= months["DAYS_CREDIT"] - 1).all()
    assert (months.filter(pl.col("STATUS") == "C")["DAYS_ENDDATE_FACT"] <= 31).all()
    paid_off = months.filter(closed & (pl.col("MONTHS_BALANCE") * 30.44 > pl.col("DAYS_ENDDATE_FACT") + 31))
    assert (paid_off["STATUS"] == "C").all()


def test_previous_applications_tell_one_story(tables):
    previous = tables["previous_application"]
    status = pl.col("NAME_CONTRACT_STATUS")
    refused = previous.filter(status == "Refused")
    assert refused["CODE_REJECT_REASON"].is_in(["HC", "LIMIT", "SCO", "SCOFR", "VERIF", "XNA"]).all()
    assert (previous.filter(status == "Approved")["CODE_REJECT_REASON"] == "XAP").all()
    assert previous.filter(status != "Approved")["DAYS_FIRST_DUE"].is_null().all()
    unpriced = pl.col("NAME_PORTFOLIO") == "XNA"
    assert previous.filter(unpriced)["AMT_ANNUITY"].is_null().all()
    assert previous.filter(~unpriced)["AMT_ANNUITY"].null_count() == 0
    loans = previous.filter(status == "Approved", pl.col("NAME_CONTRACT_TYPE") != "Revolving loans").drop_nulls(
        "DAYS_FIRST_DUE"
    )
    assert (loans["DAYS_FIRST_DUE"] > loans["DAYS_DECISION"]).all()
    due = pl.col("DAYS_FIRST_DUE") != OPEN_ENDED
    planned = loans.filter(due)
    assert (planned["DAYS_LAST_DUE_1ST_VERSION"] >= planned["DAYS_FIRST_DUE"]).all()
    ended = planned.filter(pl.col("DAYS_LAST_DUE") != OPEN_ENDED)
    assert ((ended["DAYS_LAST_DUE"] >= ended["DAYS_FIRST_DUE"]) & (ended["DAYS_LAST_DUE"] < 0)).all()
    assert (ended["DAYS_LAST_DUE"] <= ended["DAYS_LAST_DUE_1ST_VERSION"]).all()
    assert (ended["DAYS_TERMINATION"] >= ended["DAYS_LAST_DUE"]).all()
    new = previous.filter(pl.col("NAME_CLIENT_TYPE") == "New")
    oldest = previous.group_by("SK_ID_CURR").agg(pl.col("DAYS_DECISION").min().alias("oldest"))
    assert (new.join(oldest, on="SK_ID_CURR").select(pl.col("DAYS_DECISION") - pl.col("oldest"))).max().item() == 0


def test_instalments_follow_their_plan(tables):
    previous = tables["previous_application"]
    approved = previous.filter(pl.col("NAME_CONTRACT_STATUS") == "Approved")["SK_ID_PREV"]
    rows = tables["installments_payments"]
    assert rows["SK_ID_PREV"].is_in(approved.implode()).all()
    first_version = rows.filter(pl.col("NUM_INSTALMENT_VERSION") == 1).join(previous, on="SK_ID_PREV")
    assert (first_version["AMT_INSTALMENT"] - first_version["AMT_ANNUITY"]).abs().max() < 0.01
    assert (first_version["NUM_INSTALMENT_NUMBER"] <= first_version["CNT_PAYMENT"]).all()
    dated = first_version.drop_nulls("DAYS_FIRST_DUE")
    plan = dated["DAYS_FIRST_DUE"] + 30 * (dated["NUM_INSTALMENT_NUMBER"] - 1)
    assert plan.equals(dated["DAYS_INSTALMENT"], check_names=False)
    changed = pl.col("NUM_INSTALMENT_VERSION").n_unique().over("SK_ID_PREV", "NUM_INSTALMENT_NUMBER") > 1
    loans = rows.filter((pl.col("NUM_INSTALMENT_VERSION") > 0) & ~changed)  # tests of the row patterns say the rest
    loans = loans.drop_nulls("AMT_PAYMENT")
    paid = loans.group_by("SK_ID_PREV", "NUM_INSTALMENT_NUMBER").agg(
        pl.col("AMT_PAYMENT").sum(), pl.col("AMT_INSTALMENT").first(), pl.len().alias("rows")
    )
    assert (paid["AMT_PAYMENT"] <= paid["AMT_INSTALMENT"] + 0.01).all()
    assert 0.02 < (paid["rows"] > 1).mean() < 0.12
    late = rows["DAYS_ENTRY_PAYMENT"] - rows["DAYS_INSTALMENT"]
    assert 0.03 < (late > 0).mean() < 0.15


def test_pos_months_count_down(tables):
    pos = tables["POS_CASH_balance"].drop_nulls("CNT_INSTALMENT_FUTURE").sort("SK_ID_PREV", "MONTHS_BALANCE")
    left = pos.select(pl.col("CNT_INSTALMENT_FUTURE").diff().over("SK_ID_PREV")).to_series().drop_nulls()
    assert (left <= 0).mean() > 0.999
    assert (pos["CNT_INSTALMENT_FUTURE"] <= pos["CNT_INSTALMENT"]).mean() > 0.999
    completed = pos.filter(pl.col("NAME_CONTRACT_STATUS") == "Completed")
    assert (completed["CNT_INSTALMENT_FUTURE"] == 0).mean() > 0.99  # the data's entry errors, at their rate
    last = pos.group_by("SK_ID_PREV").agg(pl.col("MONTHS_BALANCE").max().alias("last"))
    assert (completed.join(last, on="SK_ID_PREV").select(pl.col("MONTHS_BALANCE") == pl.col("last"))).to_series().all()
    assert (pos["SK_DPD_DEF"] <= pos["SK_DPD"]).all()


def test_card_balances_keep_within_limits(tables):
    card = tables["credit_card_balance"]
    assert (card["AMT_BALANCE"] <= card["AMT_CREDIT_LIMIT_ACTUAL"] * 1.06 + 1).all()
    parts = card.select(
        pl.sum_horizontal("AMT_DRAWINGS_ATM_CURRENT", "AMT_DRAWINGS_POS_CURRENT", "AMT_DRAWINGS_OTHER_CURRENT")
        - pl.col("AMT_DRAWINGS_CURRENT")
    )
    assert parts.to_series().abs().max() < 0.01
    assert (card["AMT_RECEIVABLE_PRINCIPAL"] <= card["AMT_BALANCE"].clip(0)).all()
    months = card.sort("SK_ID_PREV", "MONTHS_BALANCE").select(pl.col("MONTHS_BALANCE").diff().over("SK_ID_PREV"))
    assert months.to_series().drop_nulls().unique().to_list() == [1]


def test_entry_errors_are_added(monkeypatch):
    errors = {
        "bureau": [{"column": "DAYS_CREDIT_UPDATE", "value": 372, "rate": 1.0, "where": ["CREDIT_ACTIVE", "Closed"]}]
    }
    monkeypatch.setitem(statistics()["structure"], "entry_errors", errors)
    bureau = generate(50)["bureau"]
    assert (bureau["DAYS_CREDIT_UPDATE"] == 372).equals(bureau["CREDIT_ACTIVE"] == "Closed", check_names=False)


def test_target_is_drawn_from_the_oracle(tables):
    train = tables["application_train"].join(tables["oracle"], on="SK_ID_CURR", maintain_order="left")
    probability, target = train["PROBABILITY"].to_numpy(), train["TARGET"].to_numpy()
    assert tables["oracle"]["PROBABILITY"].is_between(0, 1).all()
    assert 0.06 < target.mean() < 0.105
    assert abs(target.mean() - probability.mean()) < 3 * np.sqrt(0.08 * 0.92 / len(target))
    assert 0.76 < auc(probability, target) < 0.91


def test_every_history_correlates_with_the_risk(synthetic_tables):
    tables = synthetic_tables
    risk = tables["oracle"].select("SK_ID_CURR", "PROBABILITY")
    late = pl.col("DAYS_ENTRY_PAYMENT") - pl.col("DAYS_INSTALMENT")
    signals = {
        "installments_payments": late.mean(),
        "previous_application": (pl.col("NAME_CONTRACT_STATUS") == "Refused").mean(),
        "bureau": (pl.col("DAYS_CREDIT")).mean(),
        "POS_CASH_balance": (pl.col("SK_DPD") > 0).mean(),
        "credit_card_balance": pl.col("AMT_BALANCE").mean(),
    }
    for name, signal in signals.items():
        rows = tables[name].group_by("SK_ID_CURR").agg(signal.alias("signal")).join(risk, on="SK_ID_CURR")
        assert rows.select(pl.corr("signal", "PROBABILITY", method="spearman")).item() > 0.04, name


def test_write_is_complete_and_repeatable(tmp_path):
    write(tmp_path / "one", 60, seed=4)
    write(tmp_path / "two", 60, seed=4)
    for name in population.TABLES:
        one, two = (tmp_path / folder / f"{name}.parquet" for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        assert_frame_equal(pl.read_parquet(one), generate(60, seed=4)[name])
    description = json.loads((tmp_path / "one" / "synthetic.json").read_text())
    assert (description["clients"], description["seed"]) == (60, 4)
    assert isinstance(description["generator"], str)


def test_write_replaces_an_earlier_population_only(tmp_path):
    out = tmp_path / "data"
    write(out, 20)
    write(out, 30)
    assert len(pl.read_parquet(out / "oracle.parquet")) == 30
    (out / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"notes\.txt"):
        write(out, 20)
    assert len(pl.read_parquet(out / "oracle.parquet")) == 30
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ValueError, match="not a folder"):
        write(file, 20)


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch, failure):
    out = tmp_path / "data"
    write(out, 20)
    before = {file.name: file.read_bytes() for file in out.iterdir()}

    def fail(*_args, **_kwargs):
        raise failure

    monkeypatch.setattr(pq.ParquetWriter, "write_table", fail)
    with pytest.raises(type(failure)):
        write(out, 40)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["data"]


def test_ks_distance_of_a_sample_from_its_own_quantiles():
    values = np.random.default_rng(0).normal(size=20_000)
    levels = statistics()["probabilities"]
    assert ks_distance(values, np.quantile(values, levels))[0] < 1e-3
    assert ks_distance(values + 1, np.quantile(values, levels))[0] > 0.3


def test_auc_counts_ties_half():
    assert auc(np.array([1.0, 1.0, 1.0]), np.array([0, 1, 1])) == 0.5
    assert auc(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 1])) == 1.0
