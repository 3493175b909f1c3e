import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.journal.vault import Vault, VaultError, pack
from bento.settings import MASTER_KEY_VARIABLE as VARIABLE
from bento.settings import Settings

MASTER_KEY = bytes(range(32))
VAULT, PLAIN = Vault(MASTER_KEY), Vault(None)
KEYS = VAULT.derived_keys()
CREDIT_FILE = json.dumps({"application": {"SK_ID_CURR": 100002, "AMT_CREDIT": 406597.5}}).encode()


def _sealed(client: int = 100002, place: str = "d1 credit_file") -> tuple[bytes, bytes, str]:
    """A sealed credit file, the client's wrapped key, the client's pseudonym."""
    name = KEYS.pseudonym(client)
    key = VAULT.new_key(name)
    return VAULT.seal(pack(CREDIT_FILE), key, name, place), key, name


@given(text=st.binary(max_size=2000), client=st.integers(), place=st.text())
def test_a_sealed_text_opens_to_the_same_bytes(text: bytes, client: int, place: str):
    name = KEYS.pseudonym(client)
    key = VAULT.new_key(name)
    assert VAULT.open(VAULT.seal(pack(text), key, name, place), key, name, place) == text
    assert PLAIN.open(PLAIN.seal(pack(text), None, str(client), place), None, str(client), place) == text


@given(data=st.data())
def test_an_altered_text_never_opens(data: st.DataObject):
    sealed, key, name = _sealed()
    at = data.draw(st.integers(0, len(sealed) - 1))
    flipped = sealed[:at] + bytes([sealed[at] ^ data.draw(st.integers(1, 255))]) + sealed[at + 1 :]
    for altered in (flipped, sealed[:at]):
        with pytest.raises(VaultError, match="an entry was altered"):
            VAULT.open(altered, key, name, "d1 credit_file")


@given(noise=st.binary(max_size=100))
def test_a_text_that_was_never_sealed_is_refused(noise: bytes):
    _, key, name = _sealed()
    with pytest.raises(VaultError):
        VAULT.open(noise, key, name, "d1 credit_file")
    with pytest.raises(VaultError):
        VAULT.open(CREDIT_FILE, noise, name, "d1 credit_file")
    with pytest.raises(VaultError, match="an entry was altered"):
        PLAIN.open(b"x" + noise, None, "100002", "d1 credit_file")


@pytest.mark.parametrize("place", ["d2 credit_file", "d1 answer"])
def test_a_text_moved_to_another_place_is_refused(place: str):
    sealed, key, name = _sealed()
    with pytest.raises(VaultError):
        VAULT.open(sealed, key, name, place)


def test_the_key_of_another_client_is_refused():
    sealed, _, name = _sealed()
    _, other_key, other_name = _sealed(100003)
    for key_name in (name, other_name):
        with pytest.raises(VaultError):
            VAULT.open(sealed, other_key, key_name, "d1 credit_file")


def test_sealing_twice_gives_different_bytes():
    assert len({_sealed()[0] for _ in range(20)}) == 20


def test_sealed_text_and_pseudonym_do_not_name_the_client():
    sealed, key, name = _sealed()
    assert b"100002" not in sealed + key + name.encode()
    assert len(name) == 64
    assert (
        name == Vault(MASTER_KEY).derived_keys().pseudonym(100002) != Vault(bytes(32)).derived_keys().pseudonym(100002)
    )


def test_a_history_is_stored_in_a_tenth_of_its_size():
    history = json.dumps([{"SK_ID_BUREAU": 1, "DAYS_CREDIT": -n, "AMT_CREDIT_SUM": 90000.0} for n in range(200)])
    assert len(pack(history.encode())) < len(history) / 10


def test_another_master_key_is_named_as_the_cause():
    sealed, key, name = _sealed()
    with pytest.raises(VaultError, match=f"{VARIABLE} names another master key"):
        Vault(bytes(32)).open(sealed, key, name, "d1 credit_file")


def test_without_a_master_key_a_sealed_text_is_refused():
    sealed, key, name = _sealed()
    with pytest.raises(VaultError, match=f"the journal is encrypted; name its master key in {VARIABLE}"):
        PLAIN.open(sealed, key, name, "d1 credit_file")


def test_the_master_key_is_read_from_its_file(tmp_path: Path):
    path = tmp_path / "master.key"
    path.write_text(base64.b64encode(MASTER_KEY).decode() + "\n")
    assert Vault.from_file(str(path)).derived_keys().pseudonym(1) == KEYS.pseudonym(1)
    assert not Vault.from_file(None).encrypts


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "No such file or directory"),
        (b"not base64!", "it holds no base64 text"),
        (b"\xff\xfe", "it holds no base64 text"),
        (b"", "a master key has 32 bytes, this one 0"),
        (base64.b64encode(bytes(16)), "a master key has 32 bytes, this one 16"),
    ],
)
def test_a_file_without_a_master_key_is_refused_with_a_remedy(tmp_path: Path, content: bytes | None, expected: str):
    path = tmp_path / "master.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VaultError) as caught:
        Vault.from_file(str(path))
    message = str(caught.value)
    assert message.startswith(f"{VARIABLE}={path}: {expected}")
    assert message.endswith(f"make one with: head -c 32 /dev/urandom | base64 > {path}")
    assert "\n" not in message


def test_former_master_keys_below_the_first_only_decrypt(tmp_path: Path):
    path, new = tmp_path / "master.key", bytes(range(1, 33))
    path.write_text("".join(f"{base64.b64encode(key).decode()}\n" for key in (new, MASTER_KEY)))
    both = Vault.from_file(str(path))
    sealed, key, name = _sealed()
    assert both.open(sealed, key, name, "d1 credit_file") == CREDIT_FILE
    fresh = both.new_key(name)
    Vault(new).check(fresh, name)
    with pytest.raises(VaultError, match="another master key"):
        VAULT.check(fresh, name)
    renewed = both.rewrapped(key, name)
    assert renewed is not None
    assert Vault(new).open(sealed, renewed, name, "d1 credit_file") == CREDIT_FILE
    assert both.rewrapped(fresh, name) is None


@pytest.mark.parametrize(
    ("encryption", "is_given", "expected"),
    [
        ("required", False, f"SCORING_ENCRYPTION=required, and {VARIABLE} names no file; make one with"),
        ("off", True, f"SCORING_ENCRYPTION=off contradicts {VARIABLE}="),
        ("on", True, "SCORING_ENCRYPTION=on: choose required, optional or off"),
    ],
)
def test_a_setting_that_contradicts_the_master_key_is_refused(
    tmp_path: Path, encryption: str, is_given: bool, expected: str
):
    path = tmp_path / "master.key"
    path.write_text(base64.b64encode(MASTER_KEY).decode())
    name = str(path) if is_given else None
    with pytest.raises(VaultError) as caught:
        Vault.of(Settings(SCORING_ENCRYPTION=encryption, SCORING_MASTER_KEY_FILE=name))
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("encryption", "is_given"), [("required", True), ("optional", True), ("optional", False), ("off", False)]
)
def test_a_vault_encrypts_where_a_master_key_is_given(tmp_path: Path, encryption: str, is_given: bool):
    path = tmp_path / "master.key"
    path.write_text(base64.b64encode(MASTER_KEY).decode())
    settings = Settings(SCORING_ENCRYPTION=encryption, SCORING_MASTER_KEY_FILE=str(path) if is_given else None)
    assert Vault.of(settings).encrypts is is_given


def test_the_service_refuses_to_start_where_encryption_is_required(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    from bento import service

    settings = Settings(
        SCORING_ENCRYPTION="required", SCORING_AUTH="off", JOURNAL_URL=f"sqlite:///{tmp_path}/journal.db"
    )
    monkeypatch.setattr(service, "read_settings", lambda: settings)
    with pytest.raises(SystemExit) as ended:
        service.CreditScoring.inner.check()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: SCORING_ENCRYPTION=required")
