from pathlib import Path

import pytest
from starlette.types import ASGIApp

from bento.api.keys import KeyRing, new_key
from bento.api.middleware.authentication import FORWARDING_HEADERS, NOT_READABLE
from tests.bento.api.middleware.asgi import JSON, POSTS, Recorder, ask, bearer, behind_gateway, problem_of

OPEN = (
    "/",
    "/livez",
    "/readyz",
    "/healthz",
    "/metrics",
    "/docs.json",
    "/schema.json",
    "/static_content/swagger-ui.css",
)


@pytest.mark.parametrize(
    "path",
    [
        "/predict",
        "/decisions",
        "/decisions/1",
        "/decisions/1/review",
        "/decisions/1/contest",
        "/model",
        "/nowhere",
        "//predict",
        "/Livez",
        "/livez/",
    ],
)
def test_without_a_valid_key_every_answer_is_the_same_401(
    guarded: ASGIApp, recorder: Recorder, keys: dict[str, str], path: str
):
    values = ("", "Bearer", "Bearer ", f"Basic {keys['score']}", keys["score"], f"Bearer {keys['score']}x", "Bearer é")
    answers = [ask(guarded, "POST", path, headers=JSON)]
    answers += [
        ask(guarded, "POST", path, headers={**JSON, "Authorization": value.encode("latin-1")}) for value in values
    ]
    details = {(problem_of(answer, 401).detail, answer.headers["WWW-Authenticate"]) for answer in answers}
    assert details == {("give an API key: Authorization: Bearer KEY", "Bearer")}
    assert recorder.scopes == []


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        *(("POST", path, "score") for path in POSTS),
        ("POST", "/predict/", "score"),
        ("GET", "/predict", "score"),
        ("GET", "/decisions/0a1b", "read"),
        ("GET", "/decisions/0a1b/", "read"),
        ("GET", "/decisions", "review"),
        ("GET", "/decisions/", "review"),
        ("POST", "/decisions/0a1b/review", "review"),
        ("POST", "/decisions//review", "review"),
        ("POST", "/decisions/0a1b/contest", "review"),
        ("GET", "/decisions/0a1b/replay", "review"),
    ],
)
@pytest.mark.promise("a key reaches the addresses of its scope only")
def test_a_key_reaches_the_addresses_of_its_scope_only(
    guarded: ASGIApp, recorder: Recorder, keys: dict[str, str], method: str, path: str, scope: str
):
    for key_scope, key in keys.items():
        answer = ask(guarded, method, path, headers=bearer(key))
        if key_scope == scope:
            assert answer.status_code == 200
        else:
            assert problem_of(answer, 403).detail == f"the API key lacks the scope {scope}"
    assert [asked["api_key"].scopes for asked in recorder.scopes] == [{scope}]


@pytest.mark.parametrize("path", ["/model", "/nowhere"])
def test_any_key_reaches_the_model_and_unlisted_addresses(guarded: ASGIApp, keys: dict[str, str], path: str):
    for key in keys.values():
        assert ask(guarded, "GET", path, headers=bearer(key)).status_code == 200


@pytest.mark.parametrize("path", OPEN)
def test_health_metrics_and_documentation_are_open(guarded: ASGIApp, recorder: Recorder, path: str):
    assert ask(guarded, "GET", path).status_code == 200
    assert recorder.scopes[0]["api_key"] is None


@pytest.mark.parametrize("end", ["%0A", "%0D", "%00", "%E2%80%A8", "/%0A"])
@pytest.mark.parametrize("path", ["/predict", "/decisions/0a1b/review", "/livez"])
def test_unprintable_characters_do_not_bypass_a_scope(
    guarded: ASGIApp, recorder: Recorder, keys: dict[str, str], path: str, end: str
):
    for key in keys.values():
        problem_of(ask(guarded, "POST", path + end, headers=bearer(key)), 404)
    assert recorder.scopes == []


def test_new_and_revoked_keys_take_effect_at_once(guarded: ASGIApp, keys: dict[str, str], tmp_path: Path):
    path = tmp_path / "keys.json"
    assert ask(guarded, "POST", "/predict", headers=bearer(keys["score"])).status_code == 200
    late, _ = new_key(path, ["score"])
    assert ask(guarded, "POST", "/predict", headers=bearer(late)).status_code == 200
    path.write_text('{"keys": []}')
    for key in (late, keys["score"]):
        problem_of(ask(guarded, "POST", "/predict", headers=bearer(key)), 401)


def test_without_its_key_file_the_service_answers_503(recorder: Recorder, keys: dict[str, str], tmp_path: Path):
    path = tmp_path / "keys.json"
    content = path.read_bytes()
    path.unlink()
    guarded = behind_gateway(recorder, lambda: KeyRing(path))
    problem_of(ask(guarded, "POST", "/predict", headers=bearer(keys["score"])), 503)
    assert ask(guarded, "GET", "/livez").status_code == 200
    path.write_bytes(content)
    assert ask(guarded, "POST", "/predict", headers=bearer(keys["score"])).status_code == 200


@pytest.mark.parametrize("content", [None, "{broken"])
@pytest.mark.promise("keys that cannot be read let no request pass")
def test_keys_that_can_no_longer_be_read_let_no_request_pass(
    recorder: Recorder, keys: dict[str, str], tmp_path: Path, content: str | None
):
    path = tmp_path / "keys.json"
    ring, good = KeyRing(path), path.read_bytes()
    guarded = behind_gateway(recorder, lambda: ring)
    assert ask(guarded, "POST", "/predict", headers=bearer(keys["score"])).status_code == 200
    path.unlink() if content is None else path.write_text(content)
    for headers in (bearer(keys["score"]), bearer(f"{keys['score']}x")):
        assert problem_of(ask(guarded, "POST", "/predict", headers=headers), 503).detail == NOT_READABLE
    assert ask(guarded, "GET", "/metrics").status_code == 200
    path.write_bytes(good)
    assert ask(guarded, "GET", "/metrics").status_code == 200
    assert ask(guarded, "POST", "/predict", headers=bearer(keys["score"])).status_code == 200


def test_a_key_without_a_name_cannot_review(recorder: Recorder, keys: dict[str, str], tmp_path: Path):
    path = tmp_path / "keys.json"
    path.write_text(path.read_text().replace('"name": "A. Officer",', ""))  # as made before keys had names
    guarded = behind_gateway(recorder, lambda: KeyRing(path))
    answer = ask(guarded, "POST", "/decisions/0a1b/review", headers=bearer(keys["review"]))
    assert "keys new-key --name" in problem_of(answer, 403).detail
    assert recorder.scopes == []


def test_a_key_that_names_others_reviews_with_the_scope_for_it(
    recorder: Recorder, keys: dict[str, str], tmp_path: Path
):
    path = tmp_path / "keys.json"
    of_application, _ = new_key(path, ["review", "delegate"])
    alone, _ = new_key(path, ["delegate"])
    guarded = behind_gateway(recorder, lambda: KeyRing(path))
    assert ask(guarded, "POST", "/decisions/0a1b/review", headers=bearer(of_application)).status_code == 200
    problem_of(ask(guarded, "POST", "/decisions/0a1b/review", headers=bearer(alone)), 403)
    assert len(recorder.scopes) == 1


def test_metrics_ask_for_a_key_where_the_settings_say_so(recorder: Recorder, keys: dict[str, str], tmp_path: Path):
    path = tmp_path / "keys.json"
    scraper, _ = new_key(path, ["metrics"])
    guarded = behind_gateway(recorder, lambda: KeyRing(path), metrics_guarded=True)
    problem_of(ask(guarded, "GET", "/metrics"), 401)
    problem_of(ask(guarded, "GET", "/metrics", headers=bearer(keys["score"])), 403)
    assert ask(guarded, "GET", "/metrics", headers=bearer(scraper)).status_code == 200
    problem_of(ask(guarded, "POST", "/predict", headers=bearer(scraper)), 403)
    assert ask(guarded, "GET", "/livez").status_code == 200


@pytest.mark.parametrize("path", ["/predict", "/metrics", "/", "/nowhere"])
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "192.168.1.7", "[::2]", "[", "[::1", "a]", ""],
)
@pytest.mark.promise("without keys only names of this machine are answered")
def test_with_keys_switched_off_other_host_names_get_403(local: ASGIApp, recorder: Recorder, path: str, host: str):
    problem = problem_of(ask(local, "POST", path, headers={**JSON, "Host": host}), 403)
    assert problem.detail == "without API keys the service answers to the names of this machine alone"
    assert recorder.scopes == []


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:3000", "localhost.", "127.0.0.1", "[::1]:3000", "127.8.8.8:1"]
)
def test_with_keys_switched_off_names_of_this_machine_are_answered(local: ASGIApp, host: str):
    assert ask(local, "POST", "/predict", headers={**JSON, "Host": host}).status_code == 200


def test_with_keys_any_host_name_is_answered(guarded: ASGIApp, keys: dict[str, str]):
    headers = {**bearer(keys["score"]), "Host": "scoring.example"}
    assert ask(guarded, "POST", "/predict", headers=headers).status_code == 200


@pytest.mark.parametrize("header", FORWARDING_HEADERS)
def test_with_keys_switched_off_requests_through_a_proxy_get_403(local: ASGIApp, recorder: Recorder, header: str):
    problem = problem_of(ask(local, "POST", "/predict", headers={**JSON, header: "203.0.113.9"}), 403)
    assert problem.detail == "without API keys the service does not answer through a proxy"
    assert recorder.scopes == []


@pytest.mark.parametrize("base", ["http://127.0.0.1:3000", "http://127.8.8.8", "http://[::1]:3000"])
def test_with_keys_switched_off_loopback_is_served(local: ASGIApp, recorder: Recorder, base: str):
    assert ask(local, "POST", "/predict", base, headers=JSON).status_code == 200
    assert recorder.scopes[0]["api_key"].id == "local"


@pytest.mark.parametrize(
    "base", ["http://192.168.1.7:3000", "http://[2001:db8::1]", "http://0.0.0.0:3000", "http://localhost"]
)
@pytest.mark.promise("without keys the service answers on loopback alone")
def test_with_keys_switched_off_other_addresses_get_403(local: ASGIApp, recorder: Recorder, base: str):
    for headers in (JSON, {**JSON, "Host": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"}):
        problem = problem_of(ask(local, "POST", "/predict", base, headers=headers), 403)
        assert problem.detail == "without API keys the service answers on loopback alone"
    assert recorder.scopes == []
