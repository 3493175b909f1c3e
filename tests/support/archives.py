"""Archives of a champion, damaged on purpose."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path


def remade(archive: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Write an archive anew, its files changed or, where `change` returns None, left out."""
    target = archive.with_name("changed.tar")
    with tarfile.open(archive) as old, tarfile.open(target, "w") as new:
        for member in old:
            file = old.extractfile(member)
            content = change(member.name, file.read() if file else b"")
            if content is not None:
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
    return target


def halved_example(name: str, content: bytes) -> bytes:
    """Change the log-odds of the first example, so that no model reproduces it."""
    if not name.endswith("examples.json"):
        return content
    examples = json.loads(content)
    examples["examples"][0]["log_odds"] /= 2
    return json.dumps(examples).encode()
