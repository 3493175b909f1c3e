"""One service on each kind of journal, for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.support import postgresql
from tests.support.deadlines import wait_until
from tests.support.services import Service, served

ON_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgresql)

# The service's Python reads this at its start: its clock runs ahead by the seconds in a file.
CLOCK = """
import os, time
def shifted(clock, unit):
    def now():
        try:
            with open(os.environ["CLOCK_AHEAD"]) as file:
                return clock() + unit(float(file.read()))
        except (OSError, ValueError):
            return clock()
    return now
time.time = shifted(time.time, float)
time.time_ns = shifted(time.time_ns, lambda seconds: int(seconds * 1e9))
"""


@pytest.fixture(scope="module", params=["sqlite", ON_POSTGRESQL])
def running_service(
    request: pytest.FixtureRequest, bento_tag: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Run one service for all faults; the file `clock` beside its log sets its clock ahead."""
    folder = tmp_path_factory.mktemp(request.param)
    journal = f"sqlite:///{folder}/journal.db"
    if request.param == "postgresql":
        server: postgresql.Server = request.getfixturevalue("postgresql_server")
        journal = server.new_database()
    (folder / "sitecustomize.py").write_text(CLOCK)
    with served(bento_tag, journal, folder, PYTHONPATH=str(folder), CLOCK_AHEAD=str(folder / "clock")) as service:
        yield service


@pytest.fixture
def service(running_service: Service) -> Iterator[Service]:
    """Return the service, ready before the test, and check that it is ready after it."""
    wait_until(running_service.is_ready)
    yield running_service
    wait_until(running_service.is_ready)
    assert "Traceback" not in running_service.log.read_text(encoding="utf-8")
