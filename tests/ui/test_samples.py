import os
from pathlib import Path

import polars as pl
import pytest

from tests.ui.steps import enter, texts
from ui.client import Column
from ui.samples import MAX_LISTED, Filters, Sample, SampleError

NUMBER = Column("integer", None, None, (), required=False)
AMOUNT = Column("number", None, None, (), required=False)
WORD = Column("category", None, None, ("Working", "Pensioner"), required=False)
TABLES = {
    "application": {
        "SK_ID_CURR": NUMBER,
        "AMT_CREDIT": AMOUNT,
        "NAME_INCOME_TYPE": WORD,
        "NAME_CONTRACT_TYPE": WORD,
        "CNT_CHILDREN": NUMBER,
    },
    "bureau": {"SK_ID_CURR": NUMBER, "SK_ID_BUREAU": NUMBER, "AMT_CREDIT_SUM": AMOUNT},
    "bureau_balance": {"SK_ID_BUREAU": NUMBER, "MONTHS_BALANCE": NUMBER},
}
CLIENTS = range(700_300, 700_100, -1)


@pytest.fixture(params=["parquet", "csv"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    frames = {
        "application_test": pl.DataFrame(
            {
                "SK_ID_CURR": list(CLIENTS),
                "AMT_CREDIT": [1000.0 * (client % 100) + 0.5 for client in CLIENTS],
                "NAME_INCOME_TYPE": ["Working" if client % 2 else None for client in CLIENTS],
                "NAME_CONTRACT_TYPE": ["Working" for _ in CLIENTS],
                "CNT_CHILDREN": [None if client % 3 else float(client % 5) for client in CLIENTS],
            }
        ),
        "bureau": pl.DataFrame(
            {"SK_ID_CURR": [700_101, 700_101, 700_102], "SK_ID_BUREAU": [1, 2, 3], "AMT_CREDIT_SUM": [None, 2.5, 3.0]}
        ),
        "bureau_balance": pl.DataFrame({"SK_ID_BUREAU": [1, 3, 2], "MONTHS_BALANCE": [0, 0, -1]}),
    }
    for name, frame in frames.items():
        path = tmp_path / f"{name}.{request.param}"
        frame.write_parquet(path) if request.param == "parquet" else frame.write_csv(path)
    return tmp_path


def test_clients_are_listed_by_number(folder):
    clients = Sample(folder, TABLES).search(Filters())

    assert [row["SK_ID_CURR"] for row in clients] == sorted(CLIENTS)[:MAX_LISTED]


def test_clients_are_searched_by_the_beginning_of_their_number(folder):
    clients = Sample(folder, TABLES).search(Filters(number="70015"))

    assert [row["SK_ID_CURR"] for row in clients] == list(range(700_150, 700_160))


def test_clients_are_searched_by_what_they_ask_for(folder):
    filters = Filters(income_type="Working", contract_type="Working", min_credit=20_000, max_credit=24_000)

    clients = Sample(folder, TABLES).search(filters)

    assert [row["SK_ID_CURR"] for row in clients] == [700_121, 700_123, 700_221, 700_223]
    assert all(row["NAME_INCOME_TYPE"] == "Working" for row in clients)


def test_a_credit_file_holds_the_rows_of_its_client_without_gaps(folder):
    credit_file = Sample(folder, TABLES).credit_file(700_101)

    assert credit_file == {
        "application": {
            "SK_ID_CURR": 700_101,
            "AMT_CREDIT": 1000.5,
            "NAME_INCOME_TYPE": "Working",
            "NAME_CONTRACT_TYPE": "Working",
            "CNT_CHILDREN": 1,
        },
        "bureau": [
            {"SK_ID_CURR": 700_101, "SK_ID_BUREAU": 1},
            {"SK_ID_CURR": 700_101, "SK_ID_BUREAU": 2, "AMT_CREDIT_SUM": 2.5},
        ],
        "bureau_balance": [{"SK_ID_BUREAU": 1, "MONTHS_BALANCE": 0}, {"SK_ID_BUREAU": 2, "MONTHS_BALANCE": -1}],
    }
    assert isinstance(credit_file["bureau_balance"][0]["MONTHS_BALANCE"], int)


def test_a_client_who_is_not_there_is_a_fault(folder):
    with pytest.raises(SampleError, match="sample_without_client"):
        Sample(folder, TABLES).credit_file(1)


def test_a_folder_without_applications_is_a_fault(tmp_path):
    with pytest.raises(SampleError, match="sample_unreadable"):
        Sample(tmp_path, TABLES).search(Filters())


def test_a_broken_file_is_a_fault(tmp_path):
    (tmp_path / "application.parquet").write_bytes(b"no parquet")

    with pytest.raises(SampleError, match="sample_unreadable"):
        Sample(tmp_path, TABLES).search(Filters())


def test_a_text_where_a_number_belongs_is_a_fault(tmp_path):
    (tmp_path / "application.csv").write_text("SK_ID_CURR,AMT_CREDIT\n1,much\n")

    with pytest.raises(SampleError, match="sample_unreadable"):
        Sample(tmp_path, TABLES).search(Filters())


def test_while_a_field_changes_no_file_is_read_again(page, credit_file, tmp_path, monkeypatch):
    file = tmp_path / "application_test.parquet"
    pl.DataFrame([credit_file["application"]]).write_parquet(file)
    reads: list[str] = []
    for name in ("search", "credit_file"):
        read = getattr(Sample, name)
        monkeypatch.setattr(Sample, name, lambda *given, name=name, read=read: reads.append(name) or read(*given))
    monkeypatch.setenv("UI_CLIENTS", str(tmp_path))
    opened = page()

    for amount in ("2 000", "3 000"):
        enter(opened, "AMT_CREDIT", amount)

    assert reads == ["search", "credit_file"]

    os.utime(file, ns=(0, file.stat().st_mtime_ns + 10**9))
    opened.run()
    assert reads == 2 * ["search", "credit_file"]
    assert "→ 3 000" in texts(opened)
