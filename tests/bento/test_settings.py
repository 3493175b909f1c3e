import subprocess
import sys
from pathlib import Path

import pytest

from bento.__main__ import main
from bento.settings import CLIENT_VARIABLES, Settings, SettingsError

OPERATE = Path(__file__).parents[2] / "docs" / "operate.md"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


def test_without_variables_keys_are_required_and_the_journal_is_in_data():
    settings = Settings.read()
    assert settings.requires_keys
    assert settings.journal_address == "sqlite:///data/journal.db"
    assert (settings.keys_file, settings.master_key_file, settings.bento_folder, settings.bentoml_home) == (None,) * 4


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"SCORING_DATA": "/srv"}, "sqlite:////srv/journal.db"),
        ({"SCORING_DATA": ""}, "sqlite:///data/journal.db"),
        ({"SCORING_DATA": "/srv", "JOURNAL_URL": "postgresql://db/x"}, "postgresql://db/x"),
        ({"SCORING_DATA": "/srv", "JOURNAL_URL": ""}, "sqlite:////srv/journal.db"),
    ],
)
def test_the_journal_address(environment: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Settings.read().journal_address == address


@pytest.mark.parametrize(
    ("value", "required"),
    [("", True), ("on", True), ("no", True), ("0", True), ("false", True), ("off", False), ("OFF", False)],
)
def test_only_off_switches_keys_off(value: str, required: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCORING_AUTH", value)
    assert Settings.read().requires_keys is required


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SCORING_KEY_FILE", "SCORING_KEYS_FILE"),
        ("SCORING_MASTERKEY_FILE", "SCORING_MASTER_KEY_FILE"),
        ("SCORING_AUT", "SCORING_AUTH"),
        ("JOURNAL_URI", "JOURNAL_URL"),
        ("SCORING_", "SCORING_DATA"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest(name: str, nearest: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, "hidden-word")
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert str(caught.value) == f"{name} is no setting of the service; the nearest is {nearest}"


@pytest.mark.parametrize(
    "name",
    [
        *CLIENT_VARIABLES,
        "API_URL",
        "scoring_auth",
        "JOURNAL_SERVICE_HOST",
        "JOURNAL_SERVICE_PORT_HTTP",
        "SCORING_API_PORT",
        "SCORING_API_PORT_3000_TCP_ADDR",
    ],
)
def test_variables_of_clients_and_kubernetes_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, "x")
    assert Settings.read().requires_keys


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Settings.read().auth = "off"  # type: ignore[misc]


@pytest.mark.parametrize("command", [["keys", "list"], ["journal", "upgrade"], ["serve"]])
def test_every_command_refuses_an_unknown_variable_in_one_line(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SCORING_KEY_FILE", "x")
    assert main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "error: SCORING_KEY_FILE is no setting of the service; the nearest is SCORING_KEYS_FILE"


def test_the_service_does_not_start_with_an_unknown_variable():
    code = "from bento.service import CreditScoring; CreditScoring.inner.check()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"SCORING_KEY_FILE": "x", "BENTOML_DO_NOT_TRACK": "True"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: SCORING_KEY_FILE is no setting")
    assert "Traceback" not in done.stderr


def test_the_operators_page_names_every_setting():
    page = OPERATE.read_text()
    for field in Settings.model_fields.values():
        if str(field.validation_alias).startswith(("SCORING_", "JOURNAL_")):
            assert f"`{field.validation_alias}" in page
