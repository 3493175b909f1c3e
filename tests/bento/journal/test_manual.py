"""Each block of shell in the manual's chapter on the journal does what the manual says."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import bento
from bento.journal.store import Journal
from bento.journal.vault import Vault
from tests.support.deadlines import timeout_s
from tests.support.journals import VAULTS, entry, opened
from tests.support.postgresql import Server, programs

pytestmark = pytest.mark.end_to_end

ROOT = Path(bento.__file__).parents[1]
CHAPTER = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8").partition("\n## The journal\n")[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", CHAPTER.partition("\n## ")[0], re.DOTALL)
BLOCK_TIMEOUT_S = 120
ON_SQLITE = ("backup journal_backup", "restore journal_backup", "rotate-key", "verify --log")
ON_POSTGRESQL = ("pg_dump", "pg_restore", "roles scoring_service")


def _block(words: str) -> str:
    (block,) = (block for block in BLOCKS if words in block)
    return block


def _run(words: str, folder: Path, url: str) -> str:
    """Run a block as an operator does, in a folder with the master key."""
    path = f"{Path(sys.executable).parent}:{programs()}:{os.environ['PATH']}"
    environment = {
        "JOURNAL_URL": url,
        "SCORING_MASTER_KEY_FILE": str(folder / "master.key"),
        "PATH": path,
        "PYTHONPATH": str(ROOT),
    }
    run = subprocess.run(
        ["/bin/sh", "-ec", _block(words)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout_s(BLOCK_TIMEOUT_S),
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "master.key").write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    return tmp_path


def test_every_block_is_run():
    assert all(sum(words in block for words in (*ON_SQLITE, *ON_POSTGRESQL)) == 1 for block in BLOCKS)
    assert len(BLOCKS) == len((*ON_SQLITE, *ON_POSTGRESQL))


def test_the_blocks_for_sqlite(folder: Path):
    url = f"sqlite:///{folder}/journal.db"
    with opened(url, VAULTS["encrypted"]) as journal:
        journal.write([kept := entry()])
        head = journal.head
    (folder / "service.log").write_text(f"journal head {head}\n")
    _run("backup journal_backup", folder, url)
    with opened(url, VAULTS["encrypted"]) as journal:
        journal.write([entry()])
    assert ": sound, 1 decisions, 0 reviews" in _run("restore journal_backup", folder, url)
    assert "1 entries in 1 chains; no faults" in _run("verify --log", folder, url)
    (folder / "master.key").chmod(0o640)
    assert "1 keys of clients encrypted anew" in _run("rotate-key", folder, url)
    assert (folder / "master.key").stat().st_mode & 0o777 == 0o640
    assert not (folder / "keys.new").exists()
    assert len((folder / "master.key").read_text().split()) == 1
    journal = Journal(url, Vault.from_file(str(folder / "master.key")))
    stored = journal.find(kept.id)
    assert stored is not None
    assert stored.credit_file == kept.credit_file
    journal.close()


@pytest.fixture
def databases(postgresql_server: Server) -> Iterator[tuple[str, str]]:
    yield postgresql_server.new_database(), postgresql_server.new_database()
    with psycopg.connect(postgresql_server.url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS scoring_service")


@pytest.mark.postgresql
def test_the_blocks_for_postgresql(folder: Path, databases: tuple[str, str]):
    url, new = databases
    try:
        _run("roles scoring_service", folder, url)
        with opened(url, VAULTS["encrypted"]) as journal:
            journal.write([kept := entry()])
        _run("pg_dump", folder, url)
        assert ": sound, 1 decisions, 0 reviews" in _run("pg_restore", folder, new)
        with opened(new, VAULTS["encrypted"]) as journal:
            assert journal.ids() == [kept.id]
    finally:
        for address in databases:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute("DROP OWNED BY scoring_service")
