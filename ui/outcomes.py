"""Ask the service about a credit file: simulate at once, decide once; the answers stay in the officer's session."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import streamlit as st
from pydantic import ValidationError

from ui import answers, client, desk, session

MAX_ANSWERS = 40
"""Answers that a session keeps, so that another language or a step back asks nothing again."""


def simulate(credit_file: client.CreditFile) -> answers.Prediction | client.NoAnswerError:
    """Return what would be decided on a credit file, or why there is no answer, until `retry`."""
    return _asked("simulation", client.simulate, credit_file)


def explain(credit_file: client.CreditFile) -> answers.Explanation | client.NoAnswerError:
    """Return the explanation of a credit file's score, or why there is none, until `retry`.

    It is asked apart from the decision, which is on the screen before.
    """
    return _asked("explanation", client.explain, credit_file)


def retry() -> None:
    """Ask again for everything that was not answered."""
    cached: dict[str, Any] = st.session_state.get("answers", {})
    answered = {key: answer for key, answer in cached.items() if not isinstance(answer, client.NoAnswerError)}
    st.session_state["answers"] = answered
    session.service_fault.clear()


def decide(source: str, credit_file: client.CreditFile, correction: str) -> client.NoAnswerError | None:
    """Take the decision and keep it; return why there is none.

    The same file decided again by the same officer on the same day is the same request: the service answers with the
    decision that it recorded, after a reload and after a lost connection too.
    """
    key = idempotency_key(credit_file, session.officer(), datetime.now(UTC))
    try:
        prediction = client.decide(session.service(), credit_file, key, session.officer(), correction)
    except client.NoAnswerError as fault:
        return fault
    session.keep(
        f"decided/{source}",
        {"digest": desk.digest(credit_file), "answer": prediction.received, "replayed": prediction.replayed},
    )
    return None


def decided(source: str, credit_file: client.CreditFile) -> answers.Prediction | None:
    """Return the decision that was taken on exactly this credit file, if any."""
    content: dict[str, Any] = session.kept(f"decided/{source}") or {}
    if content.get("digest") != desk.digest(credit_file):
        return None
    try:
        answer = content["answer"]
        prediction = answers.Prediction.model_validate({**answer, "received": answer})
    except (KeyError, TypeError, ValidationError):  # kept by another version of the page
        return None
    return prediction.model_copy(update={"replayed": bool(content.get("replayed"))})


def idempotency_key(credit_file: client.CreditFile, officer: str, moment: datetime) -> str:
    """Return the key of a decision: the same for the same client, file, officer and day."""
    number = credit_file["application"].get("SK_ID_CURR")
    return desk.digest([json.dumps(number), desk.digest(credit_file), officer, f"{moment:%Y-%m-%d}"])


def _asked(
    kind: str, ask: Callable[[httpx.Client, client.CreditFile], client.Answer], credit_file: client.CreditFile
) -> client.Answer | client.NoAnswerError:
    """Return the answer to a credit file; what was asked before, a fault too, is not asked again."""
    cached: dict[str, Any] = st.session_state.setdefault("answers", {})
    key = f"{kind}/{desk.digest(credit_file)}"
    if key not in cached:
        try:
            cached[key] = ask(session.service(), credit_file)
        except client.NoAnswerError as fault:
            cached[key] = fault
        for oldest in list(cached)[:-MAX_ANSWERS]:
            del cached[oldest]
    answer: client.Answer | client.NoAnswerError = cached[key]
    return answer
