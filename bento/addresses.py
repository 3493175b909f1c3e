"""Addresses in texts that are printed or logged: without the secrets that they may hold."""

import re

_USER_INFO = re.compile(r"(?<=://)(?!/)\S*@")
"""What comes before the host: up to the last @, as a password that is not quoted may hold one, or a slash."""
_SECRET_PARAMETER = re.compile(r"([?&;][^\s=&]*(?:pass|pwd|secret|token|key)[^\s=&]*=)[^\s&;]+", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Replace user and password of every address in a text, and parameters that hold a secret, by `***`.

    >>> without_secrets("no answer from http://me:word@host:5000/api?token=abc&run=1")
    'no answer from http://***@host:5000/api?token=***&run=1'
    >>> without_secrets("sqlite:////home/me@work/journal.db")
    'sqlite:////home/me@work/journal.db'
    """
    return _USER_INFO.sub("***@", _SECRET_PARAMETER.sub(r"\1***", text))  # a parameter may hold an @
