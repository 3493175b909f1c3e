import hashlib
import json
import logging
import os
import re
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bento.__main__ import main
from bento.api import keys as keys_module
from bento.api.keys import KeyRing, KeysError, new_key, read_keys, revoke
from bento.settings import KEYS_FILE_VARIABLE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEYS_FILE_VARIABLE, raising=False)


# Making keys


def test_a_new_key_alone_is_printed_on_the_output(path: Path, capsys: pytest.CaptureFixture[str]):
    assert (
        main(["keys", "new-key", "--scope", "score", "--scope", "read", "--note", "agency 7", "--file", str(path)]) == 0
    )
    printed = capsys.readouterr()
    (text,) = printed.out.splitlines()
    assert re.fullmatch(r"pad_[0-9a-f]{8}_[\w-]{43}", text)
    assert text not in printed.err
    assert str(path) in printed.err
    key = KeyRing(path).find(text)
    assert key is not None
    assert (key.scopes, key.note) == ({"score", "read"}, "agency 7")
    assert datetime.now(UTC) - key.created_at < timedelta(minutes=1)


@pytest.mark.promise("the key file holds hashes, no keys")
def test_the_file_holds_hashes_and_only_its_owner_may_read_it(path: Path):
    text, key = new_key(path, ["score"])
    content = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hashlib.sha256(text.encode()).hexdigest() in content
    assert text.rpartition("_")[2] not in content
    assert [stored.id for stored in read_keys(path).keys] == [key.id]
    assert os.listdir(path.parent) == ["keys.json"]


def test_keys_differ_and_each_one_is_recognized(path: Path):
    made = [new_key(path, ["score"]) for _ in range(20)]
    ring = KeyRing(path)
    assert len({text for text, _ in made}) == 20
    assert [ring.find(text) for text, _ in made] == [key for _, key in made]


def test_a_key_file_is_made_in_a_new_folder_or_an_empty_file(tmp_path: Path):
    new_key(tmp_path / "new" / "folder" / "keys.json", ["read"])
    empty = tmp_path / "empty.json"
    empty.touch()
    new_key(empty, ["read"])
    assert len(read_keys(empty).keys) == len(read_keys(tmp_path / "new" / "folder" / "keys.json").keys) == 1


def test_the_file_is_the_one_that_the_environment_names(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(KEYS_FILE_VARIABLE, str(path))
    assert main(["keys", "new-key", "--scope", "read"]) == 0
    text = capsys.readouterr().out.strip()
    assert KeyRing.from_file(str(path)).find(text) is not None


@pytest.mark.parametrize("arguments", [[], ["--scope", "all"], ["--scope", ""]])
def test_a_key_without_a_known_scope_is_not_made(path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(["keys", "new-key", "--file", str(path), *arguments])
    assert caught.value.code == 2
    assert "--scope" in capsys.readouterr().err
    assert not path.exists()


def test_a_broken_file_is_not_overwritten(path: Path, capsys: pytest.CaptureFixture[str]):
    path.write_text("{broken")
    assert main(["keys", "new-key", "--scope", "score", "--file", str(path)]) == 2
    assert path.read_text() == "{broken"
    assert capsys.readouterr().err.startswith(f"error: {path}: no file of keys")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--scope", "review"], "a key with the scope review belongs to one person: give the name with --name"),
        (
            ["--scope", "review", "--scope", "delegate", "--name", "A"],
            "a key with the scope delegate belongs to no person",
        ),
        (["--scope", "read", "--expires", "0"], "argument --expires: 0 is not between 1 and 3650"),
        (["--scope", "read", "--expires", "soon"], "argument --expires: invalid"),
    ],
)
def test_a_key_without_name_or_with_a_wrong_expiry_is_not_made(
    path: Path, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
):
    try:
        code = main(["keys", "new-key", "--file", str(path), *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 2
    assert reason in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.promise("a changed key file keeps its owner, group and mode")
def test_a_changed_file_keeps_its_owner_group_and_mode(path: Path, monkeypatch: pytest.MonkeyPatch):
    _, key = new_key(path, ["score"])
    path.chmod(0o640)
    owner = os.getuid(), os.getgid()
    if os.getuid() == 0:  # only root can give a file to another user
        owner = (1034, 1035)
        os.chown(path, *owner)
    for change in (lambda: new_key(path, ["read"]), lambda: revoke(path, key.id)):
        change()
        status = path.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (*owner, 0o640)


def test_a_file_whose_owner_cannot_be_kept_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch):
    _, key = new_key(path, ["score"])
    content = path.read_bytes()

    def denied(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", denied)
    with pytest.raises(KeysError, match=r"run this as the owner of the file .*the file is as it was"):
        revoke(path, key.id)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == ["keys.json"]


def test_a_link_to_the_file_stays_a_link(path: Path, tmp_path: Path):
    target = tmp_path / "mounted" / "keys.json"
    _, key = new_key(target, ["score"])
    path.symlink_to(target)
    revoke(path, key.id)
    assert path.is_symlink()
    assert read_keys(target).keys == []


@pytest.mark.promise("keys that are made at once are all kept")
def test_keys_that_are_made_at_once_are_all_kept(path: Path):
    command = [sys.executable, "-m", "bento", "keys", "new-key", "--scope", "score", "--file", str(path)]
    made = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    texts = [process.communicate()[0].strip() for process in made]
    ring = KeyRing(path)
    assert all(ring.find(text) for text in texts)
    with ThreadPoolExecutor(8) as pool:
        more = list(pool.map(lambda _: new_key(path, ["read"])[0], range(40)))
    assert all(ring.find(text) for text in [*texts, *more])


# Listing and revoking


def test_keys_are_listed_without_their_hashes(path: Path, capsys: pytest.CaptureFixture[str]):
    _, first = new_key(path, ["score", "read"], "agency 7")
    _, second = new_key(path, ["review"], name="Ana Diaz", expires_days=30)
    assert main(["keys", "list", "--file", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [first.id, second.id]
    assert lines[0].split(maxsplit=2)[2] == "read,score  no expiry  agency 7"
    assert second.expires_at is not None
    assert lines[1].split(maxsplit=2)[2] == f"review  until {second.expires_at:%Y-%m-%d}  Ana Diaz"
    assert first.sha256 not in lines[0]


def test_a_revoked_key_is_refused_the_last_one_too(path: Path, capsys: pytest.CaptureFixture[str]):
    made = [new_key(path, ["score"]) for _ in range(2)]
    ring = KeyRing(path)
    for revoked, (text, key) in enumerate(made, start=1):
        assert main(["keys", "revoke", key.id, "--file", str(path)]) == 0
        assert ring.find(text) is None
        assert [ring.find(left) is not None for left, _ in made] == [False] * revoked + [True] * (2 - revoked)
    assert read_keys(path).keys == []
    assert capsys.readouterr().out.splitlines()[-1] == f"key {made[1][1].id} is revoked"


@pytest.mark.parametrize("left", [0, 2])
def test_an_unknown_key_cannot_be_revoked(path: Path, left: int, capsys: pytest.CaptureFixture[str]):
    path.write_text('{"keys": []}')
    ids = [new_key(path, ["score"])[1].id for _ in range(left)]
    assert main(["keys", "revoke", "nothing", "--file", str(path)]) == 2
    present = ", ".join(ids) or "none"
    assert capsys.readouterr().err == f"error: {path} holds no key nothing; it holds {present}\n"


@pytest.mark.parametrize("command", [["list"], ["revoke", "x"]])
def test_a_missing_file_is_reported_with_how_to_make_one(
    path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
):
    assert main(["keys", *command, "--file", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {path}: No such file or directory")
    assert "python -m bento keys new-key --scope score" in line


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(KeysError, match="file"):
        new_key(tmp_path / "file" / "keys.json", ["score"])


# Finding keys


def test_only_the_whole_key_is_found(path: Path):
    text, key = new_key(path, ["score"])
    other, _ = new_key(path, ["score"])
    ring = KeyRing(path)
    assert ring.find(text) == key
    mixed = f"pad_{key.id}_{other.split('_', 2)[2]}"
    for presented in (
        "",
        "pad",
        "pad_",
        f"pad_{key.id}",
        f"pad_{key.id}_",
        text[:-1],
        f"{text} ",
        text.upper(),
        mixed,
        text.replace("pad", "pod"),
        key.sha256,
        f"pad_{key.id}_{key.sha256}",
        "pad_é_é",
    ):
        assert ring.find(presented) is None, presented


@pytest.mark.parametrize("content", ["{broken", '{"keys": [{"id": "x"}]}', '{"passwords": []}', ""])
def test_while_the_file_is_broken_no_key_passes_and_it_is_logged_once(
    path: Path, content: str, caplog: pytest.LogCaptureFixture
):
    text, _ = new_key(path, ["score"])
    ring, good = KeyRing(path), path.read_bytes()
    path.write_text(content)
    for _ in range(3):
        with pytest.raises(KeysError, match="no file of keys"):
            ring.find(text)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage().endswith("every request that needs a key is answered 503")
    path.write_bytes(good)
    assert ring.find(text) is not None
    assert ring.error is None


def _gone(path: Path) -> Callable[[], object]:
    content = path.read_bytes()
    path.unlink()
    return lambda: path.write_bytes(content)


def _folder_gone(path: Path) -> Callable[[], object]:
    folder = path.parent.rename(path.parent.with_name("moved"))
    return lambda: folder.rename(path.parent)


@pytest.mark.parametrize("fault", [_gone, _folder_gone])
def test_while_the_file_is_gone_no_key_passes(
    tmp_path: Path, fault: Callable[[Path], Callable[[], object]], caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "folder" / "keys.json"
    text, key = new_key(path, ["score"])
    ring = KeyRing(path)
    mend = fault(path)
    with pytest.raises(KeysError):
        ring.find(text)
    assert "No such file or directory" in caplog.text
    mend()
    assert ring.find(text) == key


def test_a_file_that_may_no_longer_be_read_lets_no_key_pass(path: Path, monkeypatch: pytest.MonkeyPatch):
    text, key = new_key(path, ["score"])
    ring = KeyRing(path)
    path.chmod(0o000)  # its content and times stay the same, only the time of its rights changes

    def denied(_: Path) -> bytes:  # as for another user than root, who may read any file
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", denied)
        with pytest.raises(KeysError, match="Permission denied; give the user of this process the right to read it"):
            ring.find(text)
    assert ring.find(text) == key


@pytest.mark.promise("a key may expire")
def test_a_key_is_refused_once_its_time_is_over(path: Path, monkeypatch: pytest.MonkeyPatch):
    text, key = new_key(path, ["score"], expires_days=30)
    ring, start = KeyRing(path), time.time()
    for days, passes in ((29.9, True), (30.1, False)):
        monkeypatch.setattr(time, "time", lambda days=days: start + days * 86_400)
        assert (ring.find(text) == key) is passes
    with pytest.raises(KeysError, match="every key has expired; make another"):
        KeyRing.from_file(str(path))
    new_key(path, ["score"])
    KeyRing.from_file(str(path))


def test_the_file_is_read_only_when_it_has_changed(path: Path, monkeypatch: pytest.MonkeyPatch):
    text, _ = new_key(path, ["score"])
    ring = KeyRing(path)
    reads = []
    monkeypatch.setattr(keys_module, "read_keys", lambda path: reads.append(path) or read_keys(path))
    for _ in range(5):
        ring.find(text)
    assert reads == []
    new_key(path, ["score"])
    ring.find(text)
    assert len(reads) == 2  # once of them by `new_key`


def test_a_reader_never_sees_a_half_written_file(path: Path):
    text, _ = new_key(path, ["score"])
    ring, ended, lost = KeyRing(path), threading.Event(), []

    def read() -> None:
        while not ended.is_set():
            if ring.find(text) is None:
                lost.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(30):
        _, key = new_key(path, ["read"])
        revoke(path, key.id)
    ended.set()
    reader.join()
    assert lost == []


# Starting


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (None, "API keys are required, and there are none"),
        ("", "API keys are required, and there are none"),
        ("nowhere/keys.json", "nowhere/keys.json: No such file or directory"),
        ("{empty}", "holds no key"),
    ],
)
def test_without_keys_the_error_says_how_to_make_one(name: str | None, reason: str, path: Path):
    path.write_text('{"keys": []}')
    with pytest.raises(KeysError) as caught:
        KeyRing.from_file(name and name.format(empty=path))
    message = str(caught.value)
    assert reason in message
    assert "make one with `python -m bento keys new-key --scope score --file keys.json`" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"scopes": ["all"]}, "keys.0.scopes.0: Input should be 'score', 'read', 'review', 'delegate' or 'metrics'"),
        ({"sha256": "é" * 64}, "keys.0.sha256: String should match pattern"),
        ({"sha256": "0" * 63}, "keys.0.sha256: String should match pattern"),
        ({"created_at": "yesterday"}, "keys.0.created_at: Input should be a valid datetime"),
        ({"secret": "hidden-word"}, "keys.0.secret: Extra inputs are not permitted"),
        ({"id": None}, "keys.0.id: Input should be a valid string"),
    ],
)
def test_a_broken_entry_is_named_without_its_values(path: Path, broken: dict[str, Any], reason: str):
    entry = {"id": "a", "scopes": ["score"], "sha256": "0" * 64, "created_at": "2026-05-04T00:00:00Z"}
    path.write_text(json.dumps({"keys": [entry | broken]}))
    with pytest.raises(KeysError) as caught:
        read_keys(path)
    assert f"{path}: no file of keys: {reason}" in str(caught.value)
    assert "hidden-word" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"null"])
def test_a_file_of_other_content_is_reported_in_one_line(path: Path, content: bytes):
    path.write_bytes(content)
    with pytest.raises(KeysError, match="no file of keys") as caught:
        read_keys(path)
    assert "\n" not in str(caught.value)


def test_the_command_that_the_message_names_works(path: Path):
    command = [sys.executable, "-m", "bento", "keys", "new-key", "--scope", "score", "--file", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert KeyRing(path).find(run.stdout.strip()) is not None
