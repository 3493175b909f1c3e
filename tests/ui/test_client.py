import json
import socket

import pytest

from ui import client

LIMIT = 1000


def kind_of(raised):
    return raised.value.kind


def test_the_columns_come_with_their_limits_and_categories(service):
    with client.connect(service.url, 5) as connection:
        columns = client.application_columns(connection)

    assert columns["AMT_CREDIT"] == client.Column("number", 0.0, None, (), required=True)
    assert columns["CNT_CHILDREN"] == client.Column("integer", 0.0, 50.0, (), required=False)
    assert columns["NAME_INCOME_TYPE"].categories == ("Pensioner", "State servant", "Working")


def test_an_answer_is_read_whole(service, answer, credit_file):
    with client.connect(service.url, 5) as connection:
        read = client.explain(connection, credit_file)

    assert service.received == [credit_file]
    assert (read.client, read.decision, read.probability) == (100123, "refused", answer["probability_of_default"])
    assert read.groups[1] == client.GroupReason({"fr": "Emploi", "en": "Employment"}, -0.25)
    assert read.features[0].value == 0.31
    (warning,) = read.warnings
    assert warning.field == "application.NAME_INCOME_TYPE"
    assert warning.message == answer["warnings"][0]["message"]
    assert read.received == answer


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, "unexpected"),
        (400, "rejected"),
        (401, "unauthorised"),
        (403, "unauthorised"),
        (404, "unexpected"),
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
    service.answers["/explain"] = (status, {"error": "no"})

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert (raised.value.kind, raised.value.status, raised.value.details) == (kind, status, ())


def test_a_rejection_names_its_fields(service):
    detail = [{"loc": ["bureau", 3, "DAYS_CREDIT"], "msg": "Input should be a valid number", "type": "float_type"}]
    service.answers["/explain"] = (400, {"error": "1 validation error", "detail": detail})

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert raised.value.details == (
        client.Detail("bureau.3.DAYS_CREDIT", "float_type", "Input should be a valid number"),
    )


@pytest.mark.parametrize(
    "body", ["<html>", [{"error": "a list"}], {"detail": "a text"}, {"detail": [{"msg": "no loc"}]}]
)
def test_a_rejection_worded_otherwise_is_still_one(service, body):
    service.answers["/explain"] = (400, body)

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert (raised.value.kind, raised.value.details) == ("rejected", ())


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "perhaps"},
        {"probability_of_default": None},
        {"model": "credit_scoring"},
        {"groups": [{"group": "employment", "label": "Emploi", "contribution": 1}]},
        {"warnings": None},
    ],
)
def test_an_answer_of_another_shape_is_unexpected(service, answer, change):
    service.answers["/explain"] = (200, answer | change)

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert kind_of(raised) == "unexpected"


@pytest.mark.parametrize("document", ["<html>", [], {}, {"paths": {"/explain": {}}}])
def test_a_document_of_another_shape_is_unexpected(service, document):
    service.answers["/docs.json"] = (200, document)

    with client.connect(service.url, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.application_columns(connection)

    assert kind_of(raised) == "unexpected"


def test_a_silent_service_is_not_waited_for(service):
    service.seconds = 1.0

    with client.connect(service.url, 0.2) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert kind_of(raised) == "timeout"


def test_nobody_at_the_address():
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"

    with client.connect(address, 5) as connection, pytest.raises(client.NoAnswerError) as raised:
        client.explain(connection, {})

    assert kind_of(raised) == "unreachable"


def test_what_is_no_address_is_unreachable():
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

    assert client.read_credit_file(json.dumps(credit_file).encode("utf-8-sig"), LIMIT) == credit_file


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "file_not_json"),
        (b"\xff\xfe\x00", "file_not_json"),
        (b"[" * 900, "file_not_json"),
        (b"SK_ID_CURR,AMT_CREDIT\n1,2", "file_not_json"),
        (b'{"application": {"AMT_CREDIT": NaN}}', "file_not_json"),
        (b'{"application": {"AMT_CREDIT": 1e999}}', "file_not_json"),
        (b"[]", "file_not_object"),
        (b"null", "file_not_object"),
        (b"{}", "file_without_application"),
        (b'{"application": []}', "file_without_application"),
        (b" " * 1001, "file_too_large"),
    ],
)
def test_what_is_no_credit_file_is_refused(content, kind):
    with pytest.raises(client.NoAnswerError) as raised:
        client.read_credit_file(content, LIMIT)

    assert kind_of(raised) == kind


def test_endless_nesting_is_no_json():
    with pytest.raises(client.NoAnswerError) as raised:
        client.read_credit_file(b"[" * 100_000, 2**20)

    assert kind_of(raised) == "file_not_json"
