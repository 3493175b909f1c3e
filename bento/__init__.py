"""Everything that runs when a credit decision is made: data, features, model, scoring, journal, service."""

from bento.addresses import without_secrets

NAME = "credit_scoring"
"""Name of the registered model, of the model in the Bento store, of the Bento and of the service."""
FAULT = 2
"""Exit code of an error that the user can correct: input, registry, port."""
INTERRUPTED = 130
"""Exit code of a process that Ctrl-C ended, as shells use it."""


class CorrectableError(RuntimeError):
    """An error that the user can correct: its message is one line that says how, and the process ends with 2.

    No address in the message holds a secret.
    """

    exit_code = FAULT

    def __init__(self, message: str) -> None:
        super().__init__(without_secrets(message))
