"""Everything that runs when a credit decision is made: data, features, model, scoring, journal, service."""

NAME = "credit_scoring"
"""Of the model in registry and Bento store, of the Bento, and of the service."""


class CorrectableError(RuntimeError):
    """An error that the user can correct: its message is one line that says how, and the process ends with 2."""

    exit_code = 2
