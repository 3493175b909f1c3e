"""Ask the service about a credit file: simulate at once, decide once; the answers stay in the officer's session."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from pydantic import ValidationError

from ui import answers, client, desk, session

MAX_ANSWERS = 20
"""Simulations that a session keeps, so that another language or a step back asks nothing again."""


@dataclass(frozen=True)
class Outcome:
    """The answers to one credit file; `fault` is why the explanation, or the prediction too, is missing."""

    prediction: answers.Prediction | None = None
    explanation: answers.Explanation | None = None
    fault: client.NoAnswerError | None = None


def simulate(credit_file: client.CreditFile) -> Outcome:
    """Return what would be decided on a credit file; a fault is kept too, until `retry`."""
    cached: dict[str, Outcome] = st.session_state.setdefault("simulations", {})
    key = desk.digest(credit_file)
    if key not in cached:
        cached[key] = _asked(credit_file)
        for oldest in list(cached)[:-MAX_ANSWERS]:
            del cached[oldest]
    return cached[key]


def retry() -> None:
    """Ask again for everything that was not answered."""
    cached: dict[str, Outcome] = st.session_state.get("simulations", {})
    st.session_state["simulations"] = {key: outcome for key, outcome in cached.items() if outcome.fault is None}
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


def _asked(credit_file: client.CreditFile) -> Outcome:
    prediction = explanation = None
    try:
        service = session.service()
        prediction = client.simulate(service, credit_file)
        explanation = client.explain(service, credit_file)
    except client.NoAnswerError as fault:
        return Outcome(prediction, explanation, fault)
    return Outcome(prediction, explanation)
