"""Runs of drift: each has a folder, all are listed, and the oldest go."""

import json
from pathlib import Path

import pytest

from bento.i18n import Wording
from drift.__main__ import main
from drift.runs import Kind, listed, new_folder, record

SENTENCE = Wording(en="No drift.", fr="Pas de dérive.")


def finish(out: Path, kind: Kind = "report", keep: int = 50, code: int = 0) -> Path:
    """Make a run, as a command does, and return its folder."""
    out.mkdir(exist_ok=True)
    with new_folder(out, kind) as folder:
        if kind != "performance":
            (folder / "drift.html").write_text("<!DOCTYPE html>")
        record(folder, kind, "no drift", code, SENTENCE, keep)
    return folder


def test_runs_are_listed_newest_first_with_relative_paths(tmp_path):
    folders = [finish(tmp_path, "report"), finish(tmp_path, "performance"), finish(tmp_path, "watch", code=1)]

    newest, middle, oldest = json.loads((tmp_path / "index.json").read_text())

    assert [run["kind"] for run in (newest, middle, oldest)] == ["watch", "performance", "report"]
    assert newest == {
        "kind": "watch",
        "created": newest["created"],
        "verdict": "no drift",
        "exit_code": 1,
        "sentence": {"en": "No drift.", "fr": "Pas de dérive."},
        "html": f"{folders[2].name}/drift.html",
        "json": f"{folders[2].name}/watch.json",
        "markdown": f"{folders[2].name}/watch.md",
    }
    assert newest["created"].endswith("Z")
    assert middle["html"] is None
    assert oldest["json"] == f"{folders[0].name}/drift.json"


def test_only_the_last_runs_are_kept_and_nothing_else_is_removed(tmp_path):
    (tmp_path / "mine_report").mkdir()
    (tmp_path / "20260101T000000Z_report").write_text("a file")
    folders = [finish(tmp_path, keep=2) for _ in range(4)]

    assert [folder.exists() for folder in folders] == [False, False, True, True]
    assert [run.html for run in listed(tmp_path)] == [f"{folder.name}/drift.html" for folder in folders[:1:-1]]
    assert (tmp_path / "mine_report").is_dir()
    assert (tmp_path / "20260101T000000Z_report").is_file()


@pytest.mark.parametrize("content", ["", "{}", "[{}]", "[1", "\x00"])
def test_a_broken_index_is_rebuilt_with_a_warning(tmp_path, capsys, content):
    finish(tmp_path)
    whole = (tmp_path / "index.json").read_text()
    (tmp_path / "index.json").write_text(content)

    assert len(listed(tmp_path)) == 1

    assert "index.json is broken; it is rebuilt" in capsys.readouterr().err
    assert (tmp_path / "index.json").read_text() == whole


def test_a_missing_index_is_rebuilt(tmp_path):
    finish(tmp_path)
    (tmp_path / "index.json").unlink()

    assert len(listed(tmp_path)) == 1
    assert (tmp_path / "index.json").is_file()


def test_a_run_that_is_broken_or_not_finished_is_not_listed(tmp_path, capsys):
    broken, unfinished, whole = (finish(tmp_path) for _ in range(3))
    (broken / "run.json").write_text("{")
    (unfinished / "run.json").unlink()
    (tmp_path / "index.json").unlink()

    assert [run.html for run in listed(tmp_path)] == [f"{whole.name}/drift.html"]
    assert f"{broken.name}/run.json is broken" in capsys.readouterr().err


def test_a_run_that_fails_leaves_no_folder(tmp_path):
    def fail() -> None:
        with new_folder(tmp_path, "report") as folder:
            (folder / "drift.json").write_text("{}")
            raise OSError("full")

    whole = finish(tmp_path)

    with pytest.raises(OSError, match="full"):
        fail()

    assert {path.name for path in tmp_path.iterdir()} == {"index.json", whole.name}


def test_no_unfinished_file_stays_beside_the_index(tmp_path):
    folder = finish(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"index.json", folder.name}
    assert {path.name for path in folder.iterdir()} == {"run.json", "drift.html"}


def test_the_list_names_time_kind_result_and_file(tmp_path, capsys):
    folders = [finish(tmp_path, "report", code=2), finish(tmp_path, "performance")]

    assert main(["list", "--out", str(tmp_path)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2:4] for line in lines] == [["performance", "0"], ["report", "2"]]
    assert lines[0].endswith(f"No drift.  {folders[1] / 'performance.md'}")
    assert lines[1].endswith(str(folders[0] / "drift.html"))


def test_the_list_of_an_empty_or_missing_folder_says_what_to_do(tmp_path, capsys):
    assert main(["list", "--out", str(tmp_path)]) == 0
    assert "holds no run; make one" in capsys.readouterr().out

    assert main(["list", "--out", str(tmp_path / "none")]) == 2
    assert "none: no such folder" in capsys.readouterr().err


def test_fewer_than_one_run_cannot_be_kept(capsys):
    with pytest.raises(SystemExit):
        main(["report", "--keep", "0"])

    assert "argument --keep: 0 is below 1" in capsys.readouterr().err
