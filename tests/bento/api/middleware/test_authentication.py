from pathlib import Path

import pytest
from starlette.types import ASGIApp

from bento.api.keys import KeyRing, new_key
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
    ["/predict", "/decisions/1", "/decisions/1/review", "/model", "/nowhere", "//predict", "/Livez", "/livez/"],
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
        ("GET", "/decisions/", "read"),
        ("POST", "/decisions/0a1b/review", "review"),
        ("POST", "/decisions//review", "review"),
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
