"""A PostgreSQL server that the tests start: `python -m tests.support.postgresql` checks whether it is installed."""

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.support.deadlines import timeout_s, wait_until

MISSING = "missing: a PostgreSQL server (Debian package postgresql)"
USER = "scoring"
UNPRIVILEGED = 65534
"""Number of the user without rights that every Linux system has."""
TIMEOUT_S = 30
"""Seconds for the server to start or stop."""
# The server ends with the tests however they end: the shell reads from a pipe that only they hold open.
SERVE = '"$@" & read -r _; kill -QUIT $!; wait $!'


def programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`: that of the PATH, or else the newest that Debian installed."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    folders = [*([Path(on_path).resolve().parent] if on_path else []), *debian]
    return next((path for path in folders if (path / "initdb").exists() and (path / "postgres").exists()), None)


class Server:
    """A server on loopback with databases for the tests; it may be stopped and started again."""

    def __init__(self, binaries: Path, folder: Path, primary: "Server | None" = None) -> None:
        """Make the files of a new server, or of a standby that follows `primary`."""
        self._binaries, self._folder = binaries, folder
        self._password = secrets.token_hex(8) if primary is None else primary._password
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._emptied: str | None = None
        # PostgreSQL refuses to run as root.
        self._as_user: dict[str, Any] = {"cwd": folder}
        if os.getuid() == 0:
            user = _server_user()
            self._as_user |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(folder, user.pw_uid, user.pw_gid)
        (folder / "password").write_text(self._password)
        (folder / "password").chmod(0o644)
        if primary is not None:
            command = [
                binaries / "pg_basebackup",
                "-D",
                "data",
                "-R",
                "--no-sync",
                "--checkpoint=fast",
                "-d",
                primary.url,
            ]
            subprocess.run(command, check=True, **self._as_user)
            return
        options = ("--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync")
        subprocess.run(
            [binaries / "initdb", "-D", "data", "-U", USER, "--pwfile=password", *options],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as_user,
        )

    @property
    def url(self) -> str:
        """Return the address of the database that every server has."""
        return self._url("postgres")

    @property
    def log(self) -> str:
        """Return the log of the server so far."""
        return (self._folder / "log").read_text(encoding="utf-8")

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._folder,
            "fsync": "on",
            "synchronous_commit": "on",
            "max_connections": 50,
        }
        command = [self._binaries / "postgres", "-D", "data", *(f"--{name}={value}" for name, value in options.items())]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", SERVE, "sh", *command], stdin=subprocess.PIPE, stdout=log, stderr=log, **self._as_user
            )
        process = self._process
        wait_until(lambda: process.poll() is not None or self._answers(), TIMEOUT_S, pause_s=0.05)
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{self.log}")

    def stop(self) -> None:
        """Stop at once, as in a crash: clients lose their connections, committed data stays."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(timeout_s(TIMEOUT_S))
        self._process = None

    def require_standby(self) -> None:
        """Confirm commits from now on only once a standby has them, and wait for one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            synchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
            wait_until(lambda: connection.execute(synchronous).fetchone() is not None, TIMEOUT_S)

    def promote(self) -> None:
        """Let a standby write from now on."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote(true, 60)")

    def url_with(self, other: "Server", database: str) -> str:
        """Return the address of a database on the one of two servers that can write."""
        hosts = f"127.0.0.1:{self.port},127.0.0.1:{other.port}"
        return f"postgresql://{USER}:{self._password}@{hosts}/{database}"

    def new_database(self) -> str:
        """Create an empty database and return its address."""
        self._databases += 1
        name = f"journal_{self._databases}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._url(name)

    def emptied_database(self) -> str:
        """Return the address of the one database that is emptied for each test: much quicker than a new one."""
        if self._emptied is None:
            self._emptied = self.new_database()
        with psycopg.connect(self._emptied, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("SET synchronous_commit = off; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return self._emptied

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextlib.contextmanager
def running(primary: Server | None = None) -> Iterator[Server]:
    """Run a server, or a standby of another, in a temporary folder that is removed afterwards."""
    binaries = programs()
    if binaries is None:
        raise RuntimeError(MISSING)
    with tempfile.TemporaryDirectory(prefix="postgresql_") as folder:
        server = Server(binaries, Path(folder), primary)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwuid(UNPRIVILEGED)


if __name__ == "__main__":
    if programs() is None:
        sys.stderr.write(f"{MISSING}\n")
        sys.exit(2)
