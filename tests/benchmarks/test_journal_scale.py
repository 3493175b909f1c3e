"""The benchmark of the journal's commands runs each beside a writer, and prints what the manual shows."""

import json
from pathlib import Path

from tests.benchmarks.journal_scale import main, table


def test_each_command_is_measured_beside_a_writer(tmp_path: Path, capsys):
    assert main(["--sizes", "2000", "--out", str(tmp_path)]) == 0

    figures = json.loads((tmp_path / "journal_scale.json").read_text())
    commands = figures["sizes"]["2000"]["commands"]
    assert set(figures["calibration"]["slowdown"]) == {"before", "after 2000"}
    assert len(commands) == 8
    for measured in commands.values():
        assert measured["cpu_seconds"] > 0
        assert measured["peak_memory_mib"] > 50
        assert measured["decisions_beside"] > 0
        assert measured["refused_beside"] == 0
    assert commands["verify"]["answer"].endswith("no faults")
    assert commands["backup"]["answer"].endswith("these: keys.db")  # not where the machine keeps them
    assert "schema 0004, before 0003" in commands["upgrade"]["answer"]
    assert table(figures) == capsys.readouterr().out.splitlines()
