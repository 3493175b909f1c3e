import os
import stat
import time

from ui import desk
from ui.desk import MAX_AGE_S, Desks, new_token


def test_a_desk_is_read_again_by_its_token_only(tmp_path):
    desks, token = Desks(tmp_path / "drafts"), new_token()

    assert desks.save(token, {"officer": "Zoé"})

    assert desks.load(token) == {"officer": "Zoé"}
    assert desks.load(new_token()) == {}


def test_a_desk_is_readable_by_its_user_alone_and_hides_its_token(tmp_path):
    desks, token = Desks(tmp_path / "drafts"), new_token()
    desks.save(token, {"officer": "Zoé"})

    (path,) = (tmp_path / "drafts").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert token not in path.name


def test_desks_are_deleted_after_a_day(tmp_path):
    desks, old, fresh = Desks(tmp_path), new_token(), new_token()
    desks.save(old, {"a": 1})
    (path,) = tmp_path.iterdir()
    os.utime(path, (0, time.time() - MAX_AGE_S - 1))
    desks.save(fresh, {"b": 2})

    desks.delete_old()

    assert desks.load(old) == {}
    assert desks.load(fresh) == {"b": 2}


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    desks = Desks(tmp_path / "file" / "drafts")

    assert not desks.save(new_token(), {"a": 1})
    assert desks.load(new_token()) == {}
    desks.delete_old()


def test_a_broken_desk_counts_as_none(tmp_path):
    desks, token = Desks(tmp_path), new_token()
    desks.save(token, {})
    (path,) = tmp_path.iterdir()
    for content in ("{", "[]", "\udcff"):
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
        assert desks.load(token) == {}


def test_only_a_token_is_taken_from_a_cookie():
    assert desk.is_token(new_token())
    assert not desk.is_token("../../etc/passwd")
    assert not desk.is_token("a" * 42)


def test_contents_of_equal_json_have_one_digest():
    assert desk.digest({"a": 1, "b": [2]}) == desk.digest({"b": [2], "a": 1}) != desk.digest({"a": 1, "b": [3]})
