"""The check of words reports what it should, and no more."""

from pathlib import Path

import pytest

from tests.words import files, main, names_in, phrases_in


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("at most so many rows", "so many"),
        ("a value would else be lost", "would else"),
        ("Whatever is sent", "Whatever"),
        ("a folder of its own", "of its own"),
        ("the reasons that are told", "told"),
    ],
)
def test_a_phrase_of_the_list_is_reported_with_its_line_and_advice(text: str, phrase: str):
    ((line, word, advice),) = phrases_in(f"first line\n{text}\n")
    assert (line, word) == (2, phrase)
    assert advice


@pytest.mark.parametrize("text", ["slippery", "untold stories", "a saidi", "MAX_ROWS = 5", "at most 5 rows"])
def test_other_words_pass(text: str):
    assert list(phrases_in(text)) == []


@pytest.mark.parametrize(
    "source", ["found = 1", "def price(rival): ...", "for each in (): ...", "def told(): ...", "_held = 1"]
)
def test_a_name_that_is_no_noun_is_reported(source: str):
    assert len(list(names_in(source))) == 1


@pytest.mark.parametrize("name", ["MOST_ROWS", "_LARGEST", "WITHIN", "ANSWER_WITHIN", "FEW"])
def test_a_bound_is_called_max_min_or_timeout(name: str):
    assert [advice for _, _, advice in names_in(f"{name} = 1")] == ["MAX_, MIN_ or _TIMEOUT_S"]


@pytest.mark.parametrize("source", ["class Answer:\n    found: bool", "print(found)", "row['held']", "MAX_ROWS = 1"])
def test_fields_and_uses_of_a_name_pass(source: str):
    assert list(names_in(source)) == []


def test_findings_are_printed_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "module.py").write_text('"""So many words."""\nfound = 1\n')
    assert main([str(tmp_path)]) == 1
    output, error = capsys.readouterr()
    assert output.splitlines() == [
        f"{tmp_path}/module.py:1: 'So many': write a number, or 'n'",
        f"{tmp_path}/module.py:2: 'found': write the noun: problem, report, key_file",
    ]
    assert error == "2 words to replace\n"


def test_clean_files_end_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "notes.md").write_text("At most five words.\n")
    (tmp_path / "data.parquet").write_bytes(b"\xff")
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "")


def test_without_paths_the_whole_project_is_read():
    paths = {str(path) for path in files([])}
    assert {"README.md", "Makefile", "bento/service.py", "tests/conftest.py"} <= paths
    assert "tests/words.py" not in paths
