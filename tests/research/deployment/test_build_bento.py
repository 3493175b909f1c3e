"""What is changed in a Bento once BentoML has built it."""

from pathlib import Path

import yaml

from research.deployment.build_bento import shorten


def test_manifest_loses_only_the_description_of_endpoints(tmp_path: Path):
    manifest = tmp_path / "bento.yaml"
    kept = {
        "service": "bento.service:CreditScoring",
        "labels": {"é": "à"},
        "image": {"python_requirements": "a==1\nb==2\n"},
    }
    manifest.write_text(yaml.safe_dump(kept | {"schema": {"routes": [{"name": "predict"}] * 100}}), "utf-8")
    shorten(manifest)
    assert yaml.safe_load(manifest.read_text("utf-8")) == kept | {"schema": {}}
