from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bento import CorrectableError
from bento.addresses import without_secrets

SECRETS = st.text(st.characters(exclude_categories=("Z", "C")), min_size=1, max_size=20).map("hidden-{}-word".format)


@given(
    scheme=st.sampled_from(["http", "https", "postgresql", "postgresql+psycopg", "mysql", "s3"]),
    secret=SECRETS,
    before=st.sampled_from(["", "me", "m.e-1", "tok%40en"]),
    is_quoted=st.booleans(),
    place=st.sampled_from(["{}@host:5000/api", "{}@host", "{}@[::1]:80/x?y=1"]),
)
def test_no_secret_before_a_host_is_left(scheme: str, secret: str, before: str, is_quoted: bool, place: str):
    password = quote(secret, safe="") if is_quoted else secret
    user_info = f"{before}:{password}" if before else password
    text = without_secrets(f"no answer from {scheme}://{place.format(user_info)} (refused); start it")
    assert text == f"no answer from {scheme}://{place.format('***')} (refused); start it"


@given(st.sampled_from(["password", "PASSWORD", "sslpassword", "api_key", "token", "client_secret", "pwd"]), SECRETS)
def test_no_secret_parameter_is_left(name: str, secret: str):
    assume("&" not in secret and ";" not in secret)
    text = without_secrets(f"at postgresql://host/x?sslmode=require&{name}={secret}&connect_timeout=5: refused")
    assert text == f"at postgresql://host/x?sslmode=require&{name}=***&connect_timeout=5: refused"


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:3000/predict?purpose=simulation",
        "sqlite:////home/me@work/journal.db",
        "write to me@bank.example; key = value",
        "models:/credit_scoring@champion",
        "SCORING_KEYS_FILE=keys.json",
        "",
    ],
)
def test_a_text_without_secrets_stays_as_it_is(text: str):
    assert without_secrets(text) == text


def test_no_correctable_error_holds_a_secret():
    error = CorrectableError("no answer at http://me:hidden-word@host")
    assert str(error) == "no answer at http://***@host"
    assert "hidden-word" not in repr(error)
