"""A portfolio: read from files, scored in portions, summed up under a cut-off; the service is stubbed at HTTP."""

import csv
import io
import json
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from tests.ui.model import MODEL
from tests.ui.stand_in import CREDIT_FILE, Service, problem
from tests.ui.steps import plain, press, speak, texts
from ui import client, portfolio
from ui.portfolio import Costs, Scored, read_portfolio, total
from ui.uploads import Upload

COSTS = Costs(loss_given_default=0.5, margin=0.05)
TABLES: client.Tables = {
    "application": {
        name: client.Column(kind=kind, minimum=None, maximum=None, categories=(), required=False)
        for name, kind in {
            "SK_ID_CURR": "integer",
            "AMT_CREDIT": "number",
            "DAYS_BIRTH": "integer",
            "NAME_INCOME_TYPE": "category",
        }.items()
    },
    "bureau": {
        name: client.Column(kind="integer", minimum=None, maximum=None, categories=(), required=False)
        for name in ("SK_ID_CURR", "SK_ID_BUREAU", "DAYS_CREDIT")
    },
    "bureau_balance": {
        name: client.Column(kind="integer", minimum=None, maximum=None, categories=(), required=False)
        for name in ("SK_ID_BUREAU", "MONTHS_BALANCE")
    },
}
APPLICATIONS = b"SK_ID_CURR,AMT_CREDIT,DAYS_BIRTH,NAME_INCOME_TYPE\n1,1000,-9000,Working\n2,2000,-15000,Pensioner\n"
BUREAU = b"SK_ID_CURR,SK_ID_BUREAU,DAYS_CREDIT\n2,7,-500\n2,8,-90\n3,9,-1\n"
BALANCE = b"SK_ID_BUREAU,MONTHS_BALANCE\n8,-1\n9,-1\n"


def one(probability: float | None, amount: float = 1000.0, **segments: str | None) -> Scored:
    return Scored(client=1, amount=amount, segments=segments, probability=probability, decision="granted")


# Reading


def test_tables_are_joined_by_client_and_by_loan():
    uploads = [
        Upload("application_test.csv", APPLICATIONS),
        Upload("bureau.csv", BUREAU),
        Upload("bureau_balance.csv", BALANCE),
    ]
    first, second = read_portfolio(uploads, TABLES)
    assert first == {
        "application": {"SK_ID_CURR": 1, "AMT_CREDIT": 1000, "DAYS_BIRTH": -9000, "NAME_INCOME_TYPE": "Working"}
    }
    assert [row["SK_ID_BUREAU"] for row in second["bureau"]] == [7, 8]
    assert second["bureau_balance"] == [{"SK_ID_BUREAU": 8, "MONTHS_BALANCE": -1}]


def test_parquet_holds_the_same_as_csv():
    table = pa.table({"SK_ID_CURR": [1.0, 2.0], "AMT_CREDIT": [1000.5, None], "NAME_INCOME_TYPE": ["Working", None]})
    content = io.BytesIO()
    pq.write_table(table, content)
    files = read_portfolio([Upload("application.parquet", content.getvalue())], TABLES)
    assert files == [
        {"application": {"SK_ID_CURR": 1, "AMT_CREDIT": 1000.5, "NAME_INCOME_TYPE": "Working"}},
        {"application": {"SK_ID_CURR": 2}},
    ]


def test_json_lines_are_credit_files():
    line = json.dumps(CREDIT_FILE).encode()
    assert read_portfolio([Upload("a.jsonl", b"\xef\xbb\xbf" + line + b"\r\n\n" + line)], {}) == 2 * [CREDIT_FILE]


@pytest.mark.parametrize(
    ("uploads", "kind", "place"),
    [
        ([Upload("a.jsonl", b'{"application": {}}\n{')], "file_not_json", "a.jsonl, 2"),
        ([Upload("a.jsonl", b"{}"), Upload("application.csv", APPLICATIONS)], "files_mixed", None),
        ([Upload("bureau.csv", BUREAU)], "files_without_application", None),
        ([Upload("clients.csv", APPLICATIONS)], "file_of_no_table", "clients.csv"),
        ([Upload("application.parquet", b"no parquet")], "file_not_csv", "application.parquet"),
        ([Upload("application.csv", APPLICATIONS + b"x,1,1,Working\n")], "file_not_csv", "application.4.SK_ID_CURR"),
    ],
)
def test_files_that_are_no_portfolio_are_named(uploads: list[Upload], kind: str, place: str | None):
    with pytest.raises(client.NoAnswerError) as caught:
        read_portfolio(uploads, TABLES)
    assert caught.value.kind == kind
    assert [detail.field for detail in caught.value.details] == ([] if place is None else [place])


def test_too_many_clients_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(portfolio, "MAX_CLIENTS", 1)
    with pytest.raises(portfolio.TooManyClientsError):
        read_portfolio([Upload("application.csv", APPLICATIONS)], TABLES)


# Scoring


def service_of(answers: list[tuple[int, Any]], sizes: list[int]) -> httpx.Client:
    """A service that gives these answers in turn; None answers as many predictions as there are files."""

    def reply(request: httpx.Request) -> httpx.Response:
        assert request.url.params["purpose"] == "simulation"
        count = len(json.loads(request.content)["credit_files"])
        sizes.append(count)
        status, content = answers.pop(0) if answers else (200, None)
        prediction = {"prediction": {"probability_of_default": 0.1, "decision": "refused"}}
        return httpx.Response(
            status, json={"results": count * [prediction]} if content is None else content, headers={"Retry-After": "7"}
        )

    return httpx.Client(transport=httpx.MockTransport(reply), base_url="http://service")


FILES = [{"application": {"SK_ID_CURR": number, "AMT_CREDIT": 1000}} for number in range(1, 61)]


def test_a_portfolio_is_simulated_in_portions():
    sizes: list[int] = []
    scored = [one for portion in portfolio.score(service_of([], sizes), FILES) for one in portion]
    assert sizes == [25, 25, 10]
    assert [one.client for one in scored] == list(range(1, 61))
    assert {(one.probability, one.decision, one.amount) for one in scored} == {(0.1, "refused", 1000.0)}


def test_a_portion_waits_for_the_rate_and_goes_on():
    sizes, waited = list[int](), list[float]()
    portions = portfolio.score(service_of(2 * [(429, problem(429))], sizes), FILES[:3], waited.append)
    assert len(next(portions)) == 3
    assert waited == [7, 7]


def test_a_portion_that_is_too_large_is_halved_and_a_single_file_is_rejected():
    sizes: list[int] = []
    too_large = (413, problem(413))
    (scored,) = portfolio.score(service_of([too_large, too_large, (200, None)], sizes), FILES[:2])
    assert sizes == [2, 1, 1]
    assert [one.probability for one in scored] == [None, 0.1]


def test_a_file_that_the_service_rejects_is_kept_without_a_probability():
    answers = [(200, {"results": [{"prediction": None, "problem": problem(422)}]})]
    (scored,) = portfolio.score(service_of(answers, []), FILES[:1])
    assert [(one.client, one.probability) for one in scored] == [(1, None)]


@pytest.mark.parametrize("content", [{"results": []}, {"results": [{"prediction": {"decision": "granted"}}]}, []])
def test_an_answer_of_another_shape_is_no_result(content: Any):
    with pytest.raises(client.NoAnswerError) as caught:
        list(portfolio.score(service_of([(200, content)], []), FILES[:1]))
    assert caught.value.kind == "unexpected"


# Sums


@given(
    scored=st.lists(st.builds(one, st.none() | st.floats(0, 1), st.floats(0, 1e6)), max_size=20),
    cutoff=st.floats(0.01, 1),
)
def test_the_classes_and_the_groups_hold_each_application_once(scored: list[Scored], cutoff: float):
    valid = [item for item in scored if item.probability is not None]
    assert sum(portfolio.histogram(scored, (0.0, 0.05, 0.5))) == len(valid)
    whole = total(scored, cutoff, COSTS)
    groups = portfolio.by_segment(scored, "NAME_INCOME_TYPE", cutoff, COSTS)
    assert sum(group.clients for group in groups.values()) == whole.clients == len(valid)
    assert sum(group.granted for group in groups.values()) == whole.granted
    assert sum(group.cost for group in groups.values()) == pytest.approx(whole.cost)


@given(probabilities=st.lists(st.floats(0, 1), min_size=1, max_size=20), other=st.floats(0.01, 1))
def test_no_cutoff_costs_less_than_that_of_the_costs(probabilities: list[float], other: float):
    """Granting costs less than refusing exactly below margin / (margin + loss)."""
    best = COSTS.margin / (COSTS.margin + COSTS.loss_given_default)
    scored = [one(probability) for probability in probabilities]
    assert total(scored, best, COSTS).cost <= total(scored, other, COSTS).cost + 1e-9


def test_the_downloaded_table_holds_each_application():
    lines = list(csv.reader(io.StringIO(portfolio.table([one(0.1), one(None)], 0.2, COSTS))))
    assert lines[1:] == [["1", "1000.0", "0.1", "granted", "granted", "50.0"], ["1", "1000.0", "", "rejected", "", ""]]


# The page


@pytest.fixture
def portfolio_page(page, service: Service):
    def open_page(*files: tuple[str, bytes], **options: Any) -> AppTest:
        service.answers["/model"] = (200, MODEL)
        service.answers["/predict_batch"] = (
            200,
            {
                "results": [
                    {"prediction": {"probability_of_default": 0.04, "decision": "granted"}},
                    {"prediction": {"probability_of_default": 0.3, "decision": "refused"}},
                ]
            },
        )
        opened = page(**options).switch_page("views/portfolio.py").run()
        if files:
            opened.file_uploader(key="portfolio_files").set_value(
                [(name, content, "text/csv") for name, content in files]
            ).run()
        return opened

    return open_page


def batches(service: Service) -> int:
    return sum(request.path.startswith("/predict_batch") for request in service.received)


def test_a_portfolio_is_shown_under_a_movable_cutoff(portfolio_page, service: Service):
    opened = press(portfolio_page(("application.csv", APPLICATIONS)), "portfolio_score")

    assert batches(service) == 1
    figures = dict(zip(*opened.table[0].value.to_dict("list").values(), strict=True))
    values = {plain(name): plain(value) for name, value in figures.items()}
    assert values["Demandes évaluées"] == "2"
    assert values["Part accordée"] == "50,0 %"
    assert values["Coût attendu"] == "99"  # 0.04 x 0.55 x 1000 lost, and 0.7 x 0.055 x 2000 missed
    opened.select_slider(key="portfolio_cutoff").set_value(0.4).run()
    figures = dict(zip(*opened.table[0].value.to_dict("list").values(), strict=True))
    assert plain(figures["Part accordée"]) == "100,0 %"
    assert batches(service) == 1
    assert opened.table[2].value.iloc[:, 0].tolist()[0] in ("Espèces", "non renseigné", "Non renseigné")


def test_a_loss_that_is_no_share_is_told(portfolio_page):
    opened = press(portfolio_page(("application.csv", APPLICATIONS)), "portfolio_score")
    opened.text_input(key="portfolio_loss").set_value("cent").run()
    assert "La perte est un nombre entre 1 et 100" in texts(opened)


def test_files_that_are_no_portfolio_are_told(portfolio_page):
    opened = press(portfolio_page(("bureau.csv", BUREAU)), "portfolio_score")
    assert "Il manque la demande" in texts(opened)


def test_a_service_that_is_down_is_told_and_nothing_is_lost(portfolio_page, service: Service):
    opened = portfolio_page(("application.csv", APPLICATIONS))
    answer = service.answers["/predict_batch"]
    service.answers["/predict_batch"] = (503, problem(503))
    opened = press(opened, "portfolio_score")
    assert "ne peut pas répondre pour le moment" in texts(opened)
    service.answers["/predict_batch"] = answer
    assert "Résultats au seuil choisi" in texts(press(opened, "portfolio_score"))


def test_the_page_speaks_english(portfolio_page):
    opened = speak(press(portfolio_page(("application.csv", APPLICATIONS)), "portfolio_score"), "en")
    assert "Results at the chosen cut-off" in texts(opened)
