"""The real service process, in the serving environment, on the Bento that the pipeline built."""

import json
import math
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from bento.credit_file import CreditFile
from bento.model import ScoringModel
from research.command import ROOT, SERVING_PYTHON
from research.data import DATA
from research.examples import example_credit_files

Json = dict[str, Any]


@pytest.fixture(scope="module")
def files() -> list[Json]:
    return example_credit_files(6)


@pytest.fixture(scope="module")
def client(service_url: str):
    with httpx.Client(base_url=service_url, timeout=30) as http:
        yield http


def test_it_decides_as_the_model_does_in_process(client: httpx.Client, files: list[Json], model_folder: Path):
    model = ScoringModel(model_folder)
    for file in files:
        answer = client.post("/predict", json=file).json()
        expected = float(model.probability(model.features([CreditFile.model_validate(file)]))[0])
        assert answer["probability_of_default"] == pytest.approx(expected, abs=1e-12)
        assert answer["decision"] == ("refused" if expected >= model.threshold else "granted")
        assert answer["threshold"] == model.threshold
        assert answer["model"] == {"name": "credit_scoring", "version": "1"}
        assert answer["SK_ID_CURR"] == file["application"]["SK_ID_CURR"]
        assert answer["warnings"] == []


def test_an_explanation_adds_up_to_the_logit(client: httpx.Client, files: list[Json]):
    for file in files:
        answer = client.post("/explain", json=file).json()
        probability = answer["probability_of_default"]
        logit = math.log(probability / (1 - probability))
        assert answer["log_odds"] == pytest.approx(logit, abs=1e-9)
        for parts in (answer["contributions"], answer["groups"]):
            total = answer["base_value"] + sum(part["contribution"] for part in parts)
            assert total == pytest.approx(answer["log_odds"], abs=1e-9)
        assert answer["contributions"][0]["meaning"].keys() == {"en", "fr"}
        assert answer["decision"] == client.post("/predict", json=file).json()["decision"]


def test_what_is_not_understood_is_scored_and_said(client: httpx.Client, files: list[Json]):
    application = files[0]["application"] | {"NAME_INCOME_TYPE": "Astronaut", "SHOE_SIZE": 43}
    answer = client.post("/predict", json={"application": application})
    assert answer.status_code == 200
    assert {warning["field"] for warning in answer.json()["warnings"]} == {
        "application.NAME_INCOME_TYPE",
        "application.SHOE_SIZE",
    }


def _with(file: Json, **fields: object) -> bytes:
    return json.dumps(file | {"application": file["application"] | fields}).encode()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (lambda file: _with(file, AMT_CREDIT="much"), ["application", "AMT_CREDIT"]),
        (lambda file: _with(file, AMT_CREDIT=None), ["application", "AMT_CREDIT"]),
        (lambda file: _with(file, AMT_CREDIT=float("nan")), ["application", "AMT_CREDIT"]),
        (lambda file: _with(file, EXT_SOURCE_2=float("-inf")), ["application", "EXT_SOURCE_2"]),
        (lambda file: _with(file, CNT_CHILDREN=1.5), ["application", "CNT_CHILDREN"]),
        (lambda file: json.dumps(file | {"bureau": [{"DAYS_CREDIT": "x"}]}).encode(), ["bureau", 0, "DAYS_CREDIT"]),
        (lambda file: json.dumps(file | {"bureau": [{"SK_ID_CURR": 1}]}).encode(), ["bureau", 0, "SK_ID_CURR"]),
        (lambda file: json.dumps(file | {"burea": []}).encode(), ["burea"]),
        (lambda file: b"{}", ["application"]),
        (lambda file: b"", ["application"]),
        (lambda file: b'{"application": {', []),
        (lambda file: b"[]", []),
        (lambda file: b"\xff\xfe", []),
    ],
)
@pytest.mark.parametrize("endpoint", ["/predict", "/explain"])
def test_bad_input_gets_its_path_and_never_a_500(client: httpx.Client, files: list[Json], endpoint, body, path):
    answer = client.post(endpoint, content=body(files[0]), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert path in [fault["loc"] for fault in answer.json()["detail"]]


def test_rejected_values_do_not_reach_the_log(client: httpx.Client, files: list[Json]):
    client.post("/predict", content=_with(files[0], AMT_CREDIT="a-secret-amount", CNT_CHILDREN=41.5))
    log = (DATA / "logs" / "service.log").read_text()
    assert "AMT_CREDIT" in log
    assert "a-secret-amount" not in log
    assert "41.5" not in log


def test_it_is_alive_ready_and_documented(client: httpx.Client):
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 200
    document = client.get("/docs.json").json()
    assert {"/predict", "/explain"} <= set(document["paths"])
    application = document["components"]["schemas"]["application_row"]["properties"]
    assert application["AMT_CREDIT"]["description"] == "amount of the loan"


IMPORTED = """
import sys
from bento.service import CreditScoring
service = CreditScoring()
assert service.__is_ready__()
print(sorted({"pandas", "sklearn", "mlflow", "shap", "evidently", "streamlit"} & set(sys.modules)))
"""


def test_the_service_imports_serving_packages_only(bento_tag: str):
    run = subprocess.run(
        [SERVING_PYTHON, "-c", IMPORTED], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip().endswith("[]")


def test_a_refused_model_answers_503_and_is_not_ready(bento_tag: str, tmp_path: Path):
    code = """
import json, os, pathlib, bentoml
from bento.service import CreditScoring
from bento.model import ScoringModel, ModelError
def refuse(self): raise ModelError("example 0: differs")
ScoringModel.verify = refuse
service = CreditScoring()
assert service.__is_ready__() is False
try:
    service.model
except bentoml.exceptions.ServiceUnavailable as error:
    print(error.error_code.value)
"""
    run = subprocess.run(
        [SERVING_PYTHON, "-c", code], cwd=ROOT, env=os.environ, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip().endswith("503")
    assert "the model is refused" in run.stderr + run.stdout
