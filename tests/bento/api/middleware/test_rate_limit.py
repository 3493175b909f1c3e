import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.api.keys import KeyRing
from bento.api.middleware.rate_limit import RateLimit
from bento.settings import Limits
from tests.bento.api.middleware.asgi import JSON, Recorder, ask, bearer, behind_gateway, problem_of


@pytest.mark.promise("a key above its rate is refused, and others are not")
def test_a_key_above_its_rate_gets_429_and_other_keys_do_not(recorder: Recorder, keys: dict[str, str], tmp_path: Path):
    limits = Limits(requests_per_second=1e-3, max_burst=3)
    guarded = behind_gateway(recorder, lambda: KeyRing(tmp_path / "keys.json"), limits)
    for _ in range(3):
        assert ask(guarded, "POST", "/predict", headers=bearer(keys["score"])).status_code == 200
    answer = ask(guarded, "POST", "/predict", headers=bearer(keys["score"]))
    assert problem_of(answer, 429).detail == "too many requests of this API key; wait, then try again"
    assert 900 < int(answer.headers["Retry-After"]) <= 1000  # until there is one token again
    assert ask(guarded, "GET", "/decisions/1", headers=bearer(keys["read"])).status_code == 200
    assert ask(guarded, "GET", "/livez").status_code == 200


def test_requests_that_lack_the_scope_do_not_count(recorder: Recorder, keys: dict[str, str], tmp_path: Path):
    limits = Limits(requests_per_second=1e-9, max_burst=1)
    guarded = behind_gateway(recorder, lambda: KeyRing(tmp_path / "keys.json"), limits)
    for _ in range(3):
        problem_of(ask(guarded, "GET", "/decisions/1", headers=bearer(keys["score"])), 403)
    assert ask(guarded, "POST", "/predict", headers=bearer(keys["score"])).status_code == 200


@given(pauses=st.lists(st.floats(0, 10), max_size=50))
def test_no_more_requests_pass_than_rate_and_burst_allow(pauses: list[float]):
    limit, now, passed = RateLimit(requests_per_second=2, max_burst=5), 100.0, 0
    for pause in pauses:
        now += pause
        passed += limit.allows("a", now)
        assert passed <= 5 + 2 * (now - 100) + 1e-6


def test_requests_at_the_rate_always_pass():
    limit = RateLimit(requests_per_second=2, max_burst=1)
    assert all(limit.allows("a", now / 2) for now in range(100))
    assert limit.allows("b", 50)
    assert not limit.allows("a", 49.6)


def test_setting_the_clock_changes_no_rate(
    recorder: Recorder, keys: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ring = KeyRing(tmp_path / "keys.json")
    guarded = behind_gateway(recorder, lambda: ring, Limits(requests_per_second=1e-9, max_burst=2))
    began = time.time()
    statuses = []
    for jump in (0, -86_400, 86_400):
        monkeypatch.setattr(time, "time", lambda jump=jump: began + jump)
        statuses.append(ask(guarded, "POST", "/predict", headers=bearer(keys["score"])).status_code)
    assert statuses == [200, 200, 429]


def test_work_that_is_charged_later_delays_the_next_requests():
    limit = RateLimit(requests_per_second=2, max_burst=5)
    assert limit.allows("a", 0)
    limit.charge("a", 0, 10)
    assert not limit.allows("a", 3)  # 4 - 10 + 6 tokens
    assert limit.allows("a", 3.5)
    assert limit.allows("b", 0)


@given(owed=st.floats(-5, 1000), rate=st.floats(0.1, 1000))
def test_a_request_passes_after_the_wait_and_not_long_before(owed: float, rate: float):
    limit = RateLimit(rate, max_burst=5)
    limit.charge("a", 100, 5 + owed)
    wait = limit.wait_s("a", 100)
    assert wait == 0 or not limit.allows("a", 100 + 0.99 * wait)
    assert limit.allows("a", 100 + wait + 1e-9)


def test_after_a_large_batch_the_wait_is_until_its_work_is_paid(
    recorder: Recorder, keys: dict[str, str], tmp_path: Path
):
    limits = Limits(requests_per_second=1e-2, max_burst=2)
    guarded = behind_gateway(recorder, lambda: KeyRing(tmp_path / "keys.json"), limits)
    ask(guarded, "POST", "/predict_batch", headers=bearer(keys["score"]))
    recorder.scopes[0]["charge"](25)
    answer = ask(guarded, "POST", "/predict", headers=bearer(keys["score"]))
    problem_of(answer, 429)
    assert 2400 < int(answer.headers["Retry-After"]) <= 2500


def test_an_explanation_costs_more_than_a_decision(recorder: Recorder, keys: dict[str, str], tmp_path: Path):
    limits = Limits(requests_per_second=1e-9, max_burst=4)
    guarded = behind_gateway(recorder, lambda: KeyRing(tmp_path / "keys.json"), limits)
    statuses = [ask(guarded, "POST", "/explain", headers=bearer(keys["score"])).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_a_request_can_be_charged_for_what_it_holds(recorder: Recorder, keys: dict[str, str], tmp_path: Path):
    limits = Limits(requests_per_second=1e-9, max_burst=10)
    guarded = behind_gateway(recorder, lambda: KeyRing(tmp_path / "keys.json"), limits)
    assert ask(guarded, "POST", "/predict_batch", headers=bearer(keys["score"])).status_code == 200
    recorder.scopes[0]["charge"](25)
    problem_of(ask(guarded, "POST", "/predict", headers=bearer(keys["score"])), 429)


def test_without_keys_this_machine_has_no_rate():
    limits = Limits(requests_per_second=1e-9, max_burst=1)
    local = behind_gateway(Recorder(), limits=limits)
    assert [ask(local, "POST", "/predict", headers=JSON).status_code for _ in range(3)] == [200] * 3
