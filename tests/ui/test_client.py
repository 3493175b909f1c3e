import copy
import json
import socket
from datetime import UTC, datetime

import pytest

from tests.ui.stand_in import REVIEW, problem
from ui import answers, client, uploads

LIMIT = 1000


def kind_of(raised):
    return raised.value.kind


def test_the_columns_come_with_their_limits_and_categories(service):
    with client.connect(service.url, 5) as connection:
        columns = client.declared_tables(connection)["application"]

    assert columns["AMT_CREDIT"] == client.Column("number", 0.0, None, (), required=True)
    assert columns["CNT_CHILDREN"] == client.Column("integer", 0.0, 50.0, (), required=False)
    assert columns["FLAG_MOBIL"].kind == "flag"
    assert columns["NAME_INCOME_TYPE"].categories == ("Pensioner", "State servant", "Working")
    assert columns["NAME_INCOME_TYPE"].labels["State servant"] == {"en": "civil servant", "fr": "fonctionnaire"}


def test_the_columns_are_found_in_a_request_described_in_place(service):
    document = copy.deepcopy(service.answers["/docs.json"][1])
    credit_file = document["components"]["schemas"].pop("CreditFile")
    document["paths"]["/explain"]["post"]["requestBody"]["content"]["application/json"]["schema"] = credit_file
    service.answers["/docs.json"] = (200, document)

    with client.connect(service.url, 5) as connection:
        columns = client.declared_tables(connection)["application"]

    assert columns["AMT_CREDIT"].required


def test_a_decision_is_asked_for_under_its_key_and_read_whole(service, prediction, credit_file):
    with client.connect(service.url, 5) as connection:
        read = client.decide(connection, credit_file, "the-key", "Zoé", "Âge corrigé")

    (request,) = service.received
    assert (request.path, request.body) == ("/predict?purpose=decision", credit_file)
    assert request.headers["Idempotency-Key"] == "the-key"
    assert request.headers["Officer"] == "Zo%C3%A9"
    assert request.headers["Correction"] == "%C3%82ge%20corrig%C3%A9"
    assert not read.replayed
    assert (read.client, read.decision, read.probability) == (100123, "refused", prediction["probability_of_default"])
    assert (read.decision_id, read.simulated) == (prediction["decision_id"], False)
    assert read.decided_at == datetime(2026, 11, 25, 9, 41, 7, 123456, tzinfo=UTC)
    assert read.reasons[1] == answers.Reason(code="R04", direction="lowers", text=prediction["reasons"][1]["text"])
    (warning,) = read.warnings
    assert warning.field == "application.NAME_INCOME_TYPE"
    assert warning.message == prediction["warnings"][0]["message"]
    assert read.received == prediction


def test_a_decision_recorded_before_is_marked(service, credit_file):
    service.headers = {"Idempotent-Replayed": "true"}

    with client.connect(service.url, 5) as connection:
        read = client.decide(connection, credit_file, "the-key", "Zoé")

    assert read.replayed
    assert "Correction" not in service.received[0].headers


def test_a_simulation_is_asked_for_without_a_key(service, credit_file):
    with client.connect(service.url, 5) as connection:
        read = client.simulate(connection, credit_file)

    (request,) = service.received
    assert request.path == "/predict?purpose=simulation"
    assert "Idempotency-Key" not in request.headers
    assert read.simulated


def test_a_decision_that_a_person_takes_has_its_band(service, prediction):
    service.answers["/predict"] = (200, prediction | REVIEW)

    with client.connect(service.url, 5) as connection:
        read = client.decide(connection, {}, "the-key", "Zoé")

    assert (read.decision, read.review_band) == ("review", answers.ReviewBand(low=0.07, high=0.2))


def test_an_explanation_is_read_whole(service, explanation, credit_file):
    with client.connect(service.url, 5) as connection:
        read = client.explain(connection, credit_file)

    (request,) = service.received
    assert (request.path, request.body) == ("/explain", credit_file)
    assert read.groups[1] == answers.GroupContribution(
        group="employment", label={"fr": "Emploi", "en": "Employment"}, contribution=-0.25
    )
    assert read.features[0].value_text == {"en": "0.31", "fr": "0,31"}
    assert read.features[1].value_text is None
    assert read.similar_clients.model_dump() == explanation["similar_clients"]
    assert read.counterfactual.text == explanation["counterfactual"]["text"]
    assert read.received == explanation


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(service, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with client.connect(service.url, 5) as connection:
        client.explain(connection, {})

    assert len(service.received) == 1


@pytest.mark.parametrize(("key", "sent"), [("k3y", "Bearer k3y"), ("", None)])
def test_the_access_key_is_sent_where_there_is_one(service, key, sent):
    with client.connect(service.url, 5, key) as connection:
        client.explain(connection, {})

    assert service.received[0].headers.get("Authorization") == sent


@pytest.mark.parametrize("key", ["two\nlines", "clé"])
def test_invalid_key_is_never_sent(key):
    with pytest.raises(client.NoAnswerError) as raised:
        client.connect("http://127.0.0.1:9", 5, key)

    assert kind_of(raised) == "unauthorised"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, "unexpected"),
        (400, "rejected"),
        (401, "unauthorised"),
        (403, "unauthorised"),
        (404, "unexpected"),
        (409, "conflict"),
        (413, "too_large"),
        (415, "rejected"),
        (422, "rejected"),
        (429, "too_many"),
        (500, "failed"),
        (502, "failed"),
        (503, "not_ready"),
        (504, "timeout"),
    ],
)
def test_every_status_has_its_fault(service, status, kind):
    service.answers["/predict"] = (status, problem(status, "No."))

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.decide(connection, {}, "key", "Zoé")

    fault = raised.value
    assert (fault.kind, fault.status, fault.details, fault.reason) == (kind, status, (), "No.")


@pytest.mark.parametrize(
    ("header", "wait"),
    [({"Retry-After": "7"}, 7), ({"Retry-After": "Wed, 25 Nov 2026 10:00:00 GMT"}, None), ({}, None)],
)
def test_a_busy_service_says_when_to_ask_again(service, header, wait):
    service.answers["/predict"], service.headers = (503, problem(503)), header

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.decide(connection, {}, "key", "Zoé")

    assert raised.value.wait == wait


def test_a_rejection_names_its_fields(service):
    fault = {"loc": ["bureau", 3, "DAYS_CREDIT"], "msg": "Input should be a valid number", "type": "float_type"}
    service.answers["/predict"] = (422, problem(422, "1 field is wrong", fault))

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.simulate(connection, {})

    assert raised.value.details == (
        client.Detail("bureau.3.DAYS_CREDIT", "float_type", "Input should be a valid number"),
    )


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        [{"error": "a list"}],
        {"errors": "a text"},
        {"detail": "x", "errors": [{"msg": "no loc"}]},
        {"errors": []},
    ],
)
def test_rejection_with_another_body_is_still_a_rejection(service, body):
    service.answers["/explain"] = (400, body)

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert (raised.value.kind, raised.value.details, raised.value.reason) == ("rejected", (), "")


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "perhaps"},
        {"decision": "review"},  # without a band
        {"decision_id": None},  # a decision that is not recorded
        {"decided_at": "this morning"},
        {"probability_of_default": None},
        {"model": "credit_scoring"},
        {"reasons": None},
        {"reasons": [{"code": "R01", "direction": "sideways", "text": {"fr": "a", "en": "b"}}]},
        {"warnings": None},
    ],
)
def test_a_decision_of_another_shape_is_unexpected(service, prediction, change):
    service.answers["/predict"] = (200, prediction | change)

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.decide(connection, {}, "key", "Zoé")

    assert kind_of(raised) == "unexpected"


@pytest.mark.parametrize(
    "change",
    [
        {"model": "credit_scoring"},
        {"groups": [{"group": "employment", "label": "Emploi", "contribution": 1}]},
        {"similar_clients": None},
        {"counterfactual": {"proposals": []}},
    ],
)
def test_an_explanation_of_another_shape_is_unexpected(service, explanation, change):
    service.answers["/explain"] = (200, explanation | change)

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert kind_of(raised) == "unexpected"


@pytest.mark.parametrize("document", ["<html>", [], {}, {"paths": {"/explain": {}}}])
def test_a_document_of_another_shape_is_unexpected(service, document):
    service.answers["/docs.json"] = (200, document)

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.declared_tables(connection)

    assert kind_of(raised) == "unexpected"


def test_service_that_does_not_answer_times_out(service):
    service.seconds = 1.0

    with client.connect(service.url, 0.2) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert kind_of(raised) == "timeout"


def test_address_without_a_server_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"

    with client.connect(address, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert kind_of(raised) == "unreachable"


def test_invalid_address_is_unreachable():
    with pytest.raises(client.NoAnswerError) as raised:
        client.connect("http://:80:90", 5)

    assert kind_of(raised) == "unreachable"


@pytest.mark.parametrize("address", ["http://[", "localhost:3000", "ftp://127.0.0.1", ""])
def test_an_address_that_is_not_of_the_web_is_unreachable(address):
    with client.connect(address, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert kind_of(raised) == "unreachable"


def test_a_credit_file_is_read_as_it_stands(credit_file):
    credit_file["application"]["AMT_CREDIT"] = "a lot"

    assert uploads.read_credit_file(json.dumps(credit_file).encode("utf-8-sig"), LIMIT) == credit_file


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "file_not_json"),
        (b"\xff\xfe\x00", "file_not_json"),
        (b"[" * 900, "file_not_json"),
        (b"SK_ID_CURR,AMT_CREDIT\n1,2", "file_not_json"),
        (b'{"application": {"AMT_CREDIT": NaN}}', "file_not_json"),
        (b'{"application": {"AMT_CREDIT": 1e999}}', "file_not_json"),
        (b'{"application": {}, "application": {}}', "file_repeats_key"),
        (b'{"application": {}, "bureau": [{}, {"X": {"Y": 1, "Y": 1}}]}', "file_repeats_key"),
        (b"[]", "file_not_object"),
        (b"null", "file_not_object"),
        (b"{}", "file_without_application"),
        (b'{"application": []}', "file_without_application"),
        (b" " * 1001, "file_too_large"),
    ],
)
def test_other_content_than_a_credit_file_is_refused(content, kind):
    with pytest.raises(client.NoAnswerError) as raised:
        uploads.read_credit_file(content, LIMIT)

    assert kind_of(raised) == kind


def test_repeated_keys_are_named():
    with pytest.raises(client.NoAnswerError) as raised:
        uploads.read_credit_file(b'{"application": {"A": 1, "B": 1, "A": 2, "C": 1, "C": 1}}', LIMIT)

    assert [(detail.field, detail.kind) for detail in raised.value.details] == [
        ("A", "repeated_key"),
        ("C", "repeated_key"),
    ]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("https://me:hidden-word@host/scoring", "https://host/scoring"),
        ("https://hidden-word@host", "https://host"),
        ("http://me:hidden/w@rd@host", "http://host"),
        ("me:hidden-word@host:3000", "host:3000"),
        ("localhost:3000", "localhost:3000"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_its_secret(address, shown):
    assert client.shown_address(address) == shown


def test_very_deep_nesting_is_refused():
    with pytest.raises(client.NoAnswerError) as raised:
        uploads.read_credit_file(b"[" * 100_000, 2**20)

    assert kind_of(raised) == "file_not_json"
