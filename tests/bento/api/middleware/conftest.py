from pathlib import Path

import pytest
from starlette.types import ASGIApp

from bento.api.keys import KeyRing, new_key
from tests.bento.api.middleware.asgi import Recorder, behind_gateway


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def local(recorder: Recorder) -> ASGIApp:
    """The application behind the middlewares, without keys."""
    return behind_gateway(recorder)


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """One key for each scope that an address always asks for; reviews are those of one person."""
    path = tmp_path / "keys.json"
    return {scope: new_key(path, [scope], name="A. Officer")[0] for scope in ("score", "read", "review")}


@pytest.fixture
def guarded(recorder: Recorder, keys: dict[str, str], tmp_path: Path) -> ASGIApp:
    """The application behind the middlewares, with those keys."""
    return behind_gateway(recorder, lambda: KeyRing(tmp_path / "keys.json"))
