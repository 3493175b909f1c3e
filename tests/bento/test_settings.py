import subprocess
import sys
from pathlib import Path

import pytest

from bento.__main__ import main
from bento.settings import CLIENT_VARIABLES, LIMITS, MIB, Settings, SettingsError

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


@pytest.mark.parametrize(("value", "required"), [("", True), ("on", True), ("off", False), ("OFF", False)])
def test_only_off_switches_keys_off(value: str, required: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCORING_AUTH", value)
    assert Settings.read().requires_keys is required


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SCORING_AUTH", "false", "Input should be 'on' or 'off'"),
        ("SCORING_METRICS_AUTH", "yes", "Input should be 'on' or 'off'"),
        ("SCORING_KEY_RATE", "fast", "Input should be a valid number"),
        ("SCORING_KEY_RATE", "0", "Input should be greater than 0"),
        ("SCORING_KEY_PLACES", "65", "Input should be less than or equal to 64"),
        ("SCORING_MAX_CONNECTIONS", "1.5", "Input should be a valid integer"),
        ("SCORING_TRUSTED_PROXIES", "10.0.0.1,proxy", "'proxy' does not appear to be an IPv4 or IPv6 network"),
        ("SCORING_TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
    ],
)
def test_an_unusable_value_is_refused_in_one_line(
    name: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(name, value)
    assert main(["keys", "list"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {name}: ")
    assert reason in line


def test_the_limits_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch):
    assert Settings.read().limits == LIMITS
    for name, value in {"SCORING_KEY_RATE": "5", "SCORING_KEY_PLACES": "3", "SCORING_MAX_CONNECTIONS": "20"}.items():
        monkeypatch.setenv(name, value)
    limits = Settings.read().limits
    assert (limits.requests_per_second, limits.max_burst) == (5, 10)
    assert (limits.max_concurrent_per_key, limits.max_connections) == (3, 20)


def test_paths_are_resolved_in_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    names = {
        str(field.validation_alias): name
        for name, field in Settings.model_fields.items()
        if str(field.validation_alias).endswith("_FILE") or name in ("data_folder", "rules_file")
    }
    for name in names:
        monkeypatch.setenv(name, "folder/file")
    monkeypatch.chdir(tmp_path)
    settings = Settings.read().resolved()
    monkeypatch.chdir("/")
    assert {getattr(settings, field) for field in names.values()} == {f"{tmp_path}/folder/file"}
    assert settings.journal_address == f"sqlite:///{tmp_path}/folder/file/journal.db"


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("sqlite:///a/journal.db", "sqlite:///{folder}/a/journal.db"),
        ("sqlite:////srv/journal.db", "sqlite:////srv/journal.db"),
        ("postgresql://user@host/database", "postgresql://user@host/database"),
    ],
)
def test_the_address_of_a_journal_is_resolved(url: str, resolved: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JOURNAL_URL", url)
    monkeypatch.chdir(tmp_path)
    assert Settings.read().resolved().journal_url == resolved.format(folder=tmp_path)


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


def test_the_operators_page_names_the_limits():
    page = OPERATE.read_text()
    rate = f"| rate | {LIMITS.requests_per_second:.0f} decisions a second, {LIMITS.max_burst:.0f} at once |"
    assert f"| requests in work | {LIMITS.max_concurrent_per_key} | {LIMITS.max_concurrent_requests} |" in page
    assert (
        f"| bytes of their bodies | {LIMITS.max_bytes_per_key // MIB} MB | {LIMITS.max_concurrent_bytes // MIB} MB |"
        in page
    )
    assert rate in page
    seconds = (
        f"more than {LIMITS.head_timeout_s:.0f} seconds, or that of a later one more than {LIMITS.idle_timeout_s:.0f}"
    )
    assert seconds in page
    assert f"a body has {LIMITS.body_timeout_s:.0f} seconds" in page
