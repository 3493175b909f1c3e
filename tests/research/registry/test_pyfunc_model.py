"""What `mlflow models serve` answers, by the functions that it calls: each feature may be left out of a record."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.pyfunc import PyFuncModel
from mlflow.pyfunc.scoring_server import invocations

from bento.model.manifest import EXAMPLES_FILE
from bento.model.scoring_model import ScoringModel
from research import tracking

Record = dict[str, Any]


@pytest.fixture(scope="module")
def records(model_folder: Path) -> list[Record]:
    """Return the features of the model's first examples."""
    examples = json.loads((model_folder / EXAMPLES_FILE).read_text())["examples"]
    return [example["features"] for example in examples[:3]]


@pytest.fixture(scope="module")
def served(
    model_folder: Path, records: list[Record], empty_registry: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PyFuncModel]:
    """Log the model in a separate MLflow store, and load it as the scoring server does."""
    folder = tmp_path_factory.mktemp("mlflow")
    (folder / "mlflow.db").write_bytes(empty_registry.read_bytes())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        tracking.connect()
        with tracking.started_run("test", {}):
            registered = tracking.log_model(ScoringModel(model_folder))
        yield mlflow.pyfunc.load_model(f"models:/{registered.name}/{registered.version}")
    tracking.connect()


def _answer(served: PyFuncModel, records: list[Record]) -> list[float]:
    body = json.dumps({"dataframe_records": records})
    answer = invocations(body, "application/json", served, served.metadata.get_input_schema())
    assert answer.status == 200, answer.response
    return [row["probability_of_default"] for row in json.loads(answer.response)["predictions"]]


def _without(record: Record, *names: str) -> Record:
    return {name: value for name, value in record.items() if name not in names}


def test_each_feature_may_be_left_out_of_all_records(served: PyFuncModel, records: list[Record]):
    for name in records[0]:
        left_out = _answer(served, [_without(record, name) for record in records])
        as_null = _answer(served, [record | {name: None} for record in records])
        assert left_out == as_null, name


def test_a_feature_left_out_of_one_record_is_unknown_there_alone(served: PyFuncModel, records: list[Record]):
    name = "application_ext_source_3"
    expected = _answer(served, [records[0] | {name: None}])[0]
    assert _answer(served, [_without(records[0], name), *records[1:]]) == [expected, *_answer(served, records)[1:]]


def test_a_feature_left_out_is_scored_as_in_the_service(served: PyFuncModel, records: list[Record], model_folder: Path):
    name = "application_credit_to_annuity"
    model = ScoringModel(model_folder)
    column = next(column for column in model.manifest.features if column.name == name)
    assert column.typical is not None

    left_out = _answer(served, [_without(record, name) for record in records])

    assert left_out == _answer(served, [record | {name: column.typical} for record in records])
    assert left_out != _answer(served, [record | {name: 0.0} for record in records])


def test_a_record_of_one_feature_is_scored(served: PyFuncModel, records: list[Record]):
    name = "application_credit"
    nulls = dict.fromkeys(records[0])
    assert _answer(served, [{name: records[0][name]}]) == _answer(served, [nulls | {name: records[0][name]}])
