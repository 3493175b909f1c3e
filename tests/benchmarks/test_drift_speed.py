"""The benchmark of the drift report writes every figure, and the document shows the published ones."""

import json
from pathlib import Path

from bento.features.catalogue import CATALOGUE
from research.cli import ROOT
from tests.benchmarks.drift import RESULT, document_rows, main

KEYS = {"reference", "current", "columns", "seconds", "cpu_seconds", "peak_memory_mib", "page_mb"}


def test_the_report_is_timed_beside_plain_evidently(tmp_path: Path, capsys):
    assert main(["--clients", "2000", "--rows", "1000", "--out", str(tmp_path)]) == 0

    figures = json.loads((tmp_path / RESULT).read_text())
    assert (figures["data"], figures["clients"], figures["seed"]) == ("synthetic", 2000, 1)
    assert figures["machine"]["evidently"]
    for name in ("ours", "evidently", "wide"):
        assert figures[name].keys() >= KEYS
        assert min(figures[name][key] for key in KEYS) > 0
    assert figures["ours"]["reference"] + figures["ours"]["current"] == 2000
    assert figures["ours"]["reference"] == figures["evidently"]["reference"]
    assert (figures["wide"]["columns"], figures["wide"]["drifted"]) == (len(CATALOGUE), 0)
    assert document_rows(figures)[0] in capsys.readouterr().out


def test_the_document_shows_the_published_speed():
    figures = json.loads((ROOT / "research" / "results" / RESULT).read_text())
    document = (ROOT / "docs" / "drift.md").read_text("utf-8")

    assert f"{figures['clients']:,} {figures['data']} clients" in document
    assert [row for row in document_rows(figures) if row not in document] == []
    assert figures["ours"]["page_mb"] < 6
