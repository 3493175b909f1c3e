"""The helper that runs the shell blocks of the documents."""

from pathlib import Path

import psutil
import pytest

from tests.support.deadlines import wait_until
from tests.support.doc_blocks import manual_environment, project_copy, replaced, run_block, running_block, sh_blocks

PAGE = """# Page
## Start
```sh
# a comment, no heading
echo start
```
### Part
```sh
echo part
```
```python
no shell
```
## Stop
```sh
echo stop
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def test_a_section_ends_at_the_next_heading_of_its_level(page: Path):
    assert sh_blocks(page, "Start") == ["# a comment, no heading\necho start\n", "echo part\n"]
    assert sh_blocks(page, "Part") == ["echo part\n"]


def test_a_heading_or_name_that_is_missing_is_an_error(page: Path):
    with pytest.raises(ValueError, match="no heading 'Run'"):
        sh_blocks(page, "Run")
    with pytest.raises(ValueError, match="does not hold 'IMAGE'"):
        replaced("echo start", {"IMAGE": "image"})


def test_a_block_ends_at_its_first_failing_command(tmp_path: Path):
    run = run_block("echo first; false | true\necho last", tmp_path, manual_environment())
    assert (run.returncode, run.stdout) == (1, "first\n")


def test_a_block_sees_only_the_settings_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCORING_AUTH", "off")
    run = run_block("env | grep '^SCORING_'", tmp_path, manual_environment(SCORING_DATA="kept"))
    assert run.stdout == "SCORING_DATA=kept\n"


def test_a_running_block_is_stopped_with_its_children(tmp_path: Path):
    with running_block("sleep 1000 & echo $!; wait", tmp_path, manual_environment(), tmp_path / "log") as process:
        wait_until((tmp_path / "log").read_text)
        child = psutil.Process(int((tmp_path / "log").read_text()))
    assert process.returncode is not None
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_the_commands_of_the_service_run_in_a_copy_of_the_project(tmp_path: Path):
    folder = project_copy(tmp_path / "project")
    run = run_block("python -m bento keys new-key --scope read --file secrets/keys.json", folder, manual_environment())
    assert run.returncode == 0, run.stderr
    assert (folder / "secrets" / "keys.json").is_file()
