"""train.yml, walked through twice: the second run takes the champion of the first out of its artifact."""

import json
import shutil
from pathlib import Path

import pytest

from tests.walk.github import GitHub
from tests.walk.runner import Result, run


@pytest.fixture(scope="module")
def github(synthetic_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> GitHub:
    """Return a repository with a token of Kaggle, whose data is small, and without an MLflow server."""
    folder = tmp_path_factory.mktemp("train")
    (folder / "modules").mkdir()
    shutil.copy(Path(__file__).with_name("kaggle_program.py"), folder / "modules" / "kaggle.py")
    return GitHub(
        folder=folder / "github",
        variables={"": {}},
        secrets={"KAGGLE_API_TOKEN": "a token"},
        environment={
            "BENTOML_HOME": str(folder / "bentoml"),
            "SCORING_DATA": "",
            "PYTHONPATH": str(folder / "modules"),
            "WALK_DATA": str(synthetic_folder),
        },
    )


@pytest.fixture(scope="module")
def first(github: GitHub) -> Result:
    return run("train.yml", github)


@pytest.fixture(scope="module")
def second(first: Result, github: GitHub) -> Result:
    return run("train.yml", github)


def test_the_first_run_keeps_an_attested_champion_card_and_results(first: Result, github: GitHub):
    assert first.failed is None, first.output

    assert "version 1 promoted: it is champion now" in first.summary
    assert "data: real" in first.summary
    assert (github.artifact(1, "champion") / "champion.tar").is_file()
    assert (github.artifact(1, "results") / "MODEL_CARD.md").is_file()
    signers = {json.loads(line)["signer"] for line in github.attestations.read_text().splitlines()}
    assert signers == {"owner/project/.github/workflows/train.yml"}


def test_the_second_run_judges_against_the_champion_of_the_first(second: Result, github: GitHub):
    assert "train: Register it, for the challenger to be judged against" in second.steps
    assert "version 2 against champion version 1, on " in second.output
    # So few clients replace no champion that can serve: the run ends in red, and the champion stays.
    assert second.failed == "train: Judge on the gate split; a refused challenger ends the run"
    refused = [line for line in second.output.splitlines() if line.strip().startswith("FAILED")]
    assert [line.split(":")[0].split("FAILED ")[1] for line in refused] == ["defaults to judge by"]


def test_without_the_token_the_run_stops_and_keeps_no_champion(github: GitHub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(github.secrets, "KAGGLE_API_TOKEN", "an old token")

    result = run("train.yml", github)

    assert result.failed == "train: Real data, with the token of Kaggle"
    assert "401 - Unauthorized" in result.error
    newest = github.new_run() - 1
    assert not github.artifact(newest, "champion").exists()
