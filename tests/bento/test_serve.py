"""The port of the service, checked before anything is started."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from bento.__main__ import main
from bento.serve import ServeError, check_port, port_number, wait_for_port


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])  # noqa: S104 - a program that listens on every address
def taken(request: pytest.FixtureRequest) -> Iterator[int]:
    """Return a port of this machine on which another program listens."""
    with socket.create_server((request.param, 0)) as listener:
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_option_and_make_variable(taken: int):
    words = rf"cannot listen on 127\.0\.0\.1:{taken}: Address already in use; stop .* --ui-port .*UI_PORT="
    with pytest.raises(ServeError, match=words):
        check_port("127.0.0.1", taken, "--ui-port", "UI_PORT")


HOSTS = {"127.0.0.1": socket.AF_INET} | ({"::1": socket.AF_INET6} if _has_ipv6() else {})


@pytest.mark.parametrize("host", HOSTS)
def test_a_free_port_is_accepted_and_stays_free(host: str):
    with socket.create_server((host, 0), family=HOSTS[host]) as listener:
        port = listener.getsockname()[1]
    check_port(host, port)
    socket.create_server((host, port), family=HOSTS[host]).close()


def test_an_address_that_is_not_of_this_machine_is_to_be_changed():
    with pytest.raises(ServeError, match="choose another --host"):
        check_port("192.0.2.1", 34567)


def test_a_host_is_an_address_and_no_name(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--host", "localhost"])
    assert ended.value.code == 2
    assert "argument --host: 'localhost' is no IP address, such as 127.0.0.1" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http"])
def test_a_number_that_is_no_port_is_refused(text: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["serve", f"--port={text}"])
    assert ended.value.code == 2
    assert "argument --port" in capsys.readouterr().err


def test_the_first_and_the_last_port_are_accepted():
    assert (port_number("1"), port_number("65535")) == (1, 65535)


def test_a_port_that_is_about_to_be_free_is_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        closing = threading.Timer(0.3, listener.close)
        closing.start()
        wait_for_port(*address, timeout_s=60)
        assert listener.fileno() == -1


def test_a_port_that_stays_taken_is_named_after_the_wait(taken: int):
    start = time.monotonic()
    with pytest.raises(ServeError, match=f"cannot listen on 127.0.0.1:{taken}"):
        wait_for_port("127.0.0.1", taken, timeout_s=0.3)
    assert time.monotonic() - start >= 0.3


def test_an_address_that_cannot_be_used_is_not_waited_for():
    start = time.monotonic()
    with pytest.raises(ServeError, match="choose another --host"):
        wait_for_port("192.0.2.1", 34567, timeout_s=60)
    assert time.monotonic() - start < 30
