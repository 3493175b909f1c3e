"""Recorded decisions as the service sends them; all of it is invented."""

import copy
from typing import Any

from tests.ui.stand_in import CREDIT_FILE, PREDICTION, Service

ID = PREDICTION["decision_id"]
SUMMARY: dict[str, Any] = {
    "decision_id": ID,
    "decided_at": "2026-11-25T09:41:07.123456Z",
    "state": "waiting",
    "SK_ID_CURR": 100123,
    "decision": "review",
    "outcome": "review",
    "probability_of_default": 0.0893,
    "model": {"name": "credit_scoring", "version": "3"},
    "reviews": 0,
    "contests": 0,
    "contested_at": None,
    "problem": None,
}
CONTEST: dict[str, Any] = {
    "statement": "My income\nhas risen: [see](http://evil.example) www.evil.example",
    "recorder": "Zoé Martin",
    "contested_at": "2026-11-25T12:00:00Z",
    "key_id": "local",
}
REVIEW: dict[str, Any] = {
    "verdict": "overturned",
    "outcome": "granted",
    "reason": "*three* payslips were seen",
    "reviewer": "A. Officer",
    "reviewed_at": "2026-11-25T14:00:00Z",
    "key_id": "local",
}
RECORD: dict[str, Any] = {
    "decision_id": ID,
    "decided_at": "2026-11-25T09:41:07.123456Z",
    "key_id": "local",
    "decision": "review",
    "outcome": "review",
    "state": "waiting",
    "threshold": 0.0909,
    "model": {"name": "credit_scoring", "version": "3"},
    "bento": "credit_scoring:a",
    "code": "0a1b",
    "features_hash": "f",
    "credit_file_hash": "c",
    "purged": False,
    "probability_of_default": 0.0893,
    "rules": [],
    "rules_version": "1",
    "reasons": PREDICTION["reasons"],
    "warnings": PREDICTION["warnings"],
    "officer": "Zoé Martin",
    "correction": None,
    "credit_file": CREDIT_FILE,
    "reviews": [],
    "contests": [],
}
PURGED: dict[str, Any] = RECORD | {
    "state": "purged",
    "purged": True,
    "probability_of_default": None,
    "rules": None,
    "reasons": None,
    "warnings": None,
    "officer": None,
    "credit_file": None,
    "reviews": [REVIEW | {"reason": None, "reviewer": None}],
    "contests": [CONTEST | {"statement": None, "recorder": None}],
}


def serve(service: Service, record: dict[str, Any] | None = None, **summary: Any) -> None:
    """Have the stand-in list one decision and answer it."""
    listed = copy.deepcopy(SUMMARY) | summary
    service.answers["/decisions"] = (200, {"decisions": [listed], "next": None})
    service.answers[f"/decisions/{ID}"] = (200, copy.deepcopy(RECORD) if record is None else record)
    service.answers[f"/decisions/{ID}/review"] = (201, REVIEW)
    service.answers[f"/decisions/{ID}/contest"] = (201, CONTEST)
    service.answers[f"/decisions/{ID}/replay"] = (200, {"decision_id": ID, "verdict": "same", "differences": []})
