"""What a worker process serves with: built once by the service, read by every endpoint."""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import bentoml

from bento import NAME
from bento.api.keys import KeyRing
from bento.api.problems import ProblemError, problem
from bento.journal.entries import StoredDecision
from bento.journal.store import Journal
from bento.journal.vault import Vault
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import FOLDER_IN_STORE, ModelVersion
from bento.model.scoring_model import ModelError, ScoringModel
from bento.rules.check import Rules
from bento.rules.rulebook import DEFAULT_RULES, Rulebook
from bento.settings import Settings

log = logging.getLogger("bentoml.credit_scoring")


@dataclass(frozen=True, kw_only=True)
class ServingState:
    """Model, journal, and the tags that go into every answer."""

    verified_model: ScoringModel | None
    """None where the model folder did not answer its examples."""
    version: ModelVersion
    model_tag: str
    bento_tag: str
    journal: Journal
    rulebook: Rulebook

    @classmethod
    def load(cls, stored_model: bentoml.Model, journal: Journal, rulebook: Rulebook) -> Self:
        """Load and verify a model of the Bento store; a model that is refused is logged, and nothing is decided."""
        try:
            model = ScoringModel.verified(Path(stored_model.path_of(FOLDER_IN_STORE)))
            model.prepare()
        except ModelError as error:
            model = None
            log.error("the model is refused, nothing will be decided: %s", error)
        code_fingerprint()  # reads the files now, and not with the first decision, when no file may be left to open
        bento = bentoml.server_context
        return cls(
            verified_model=model,
            version=ModelVersion(name=NAME, version=stored_model.info.labels.get("mlflow_version", "unregistered")),
            model_tag=str(stored_model.tag),
            bento_tag=f"{bento.bento_name}:{bento.bento_version}",
            journal=journal,
            rulebook=rulebook,
        )

    @property
    def model(self) -> ScoringModel:
        """The verified model; raises ProblemError where there is none."""
        if self.verified_model is None:
            raise ProblemError(problem(503, "no usable model is loaded, so nothing is decided"))
        return self.verified_model

    @cached_property
    def rules(self) -> Rules:
        """The rules in force, with the usual ranges of the model; raises ProblemError where there is no model."""
        return Rules(self.rulebook, self.model.reference.usual)

    def rules_of(self, decision: StoredDecision) -> Rules:
        """Return the rules by which this model made a decision of the journal."""
        return Rules(self.journal.rulebook(decision.rules), self.model.reference.usual)

    def has_decided(self, decision: StoredDecision) -> bool:
        """Return whether this model and this code made a decision of the journal."""
        origin = (self.model_tag, code_fingerprint())
        return self.verified_model is not None and (decision.model_tag, decision.code) == origin


def check_settings(settings: Settings) -> None:
    """Try keys, rules and journal.

    Raises:
        CorrectableError: one of them cannot be used.
    """
    if settings.requires_keys:
        KeyRing.from_file(settings.keys_file)
    open_rulebook(settings)
    journal = open_journal(settings)
    journal.check()
    journal.close()


def open_journal(settings: Settings) -> Journal:
    """Open the journal that the environment names, with the key that decrypts it."""
    return Journal(settings.journal_address, Vault.of(settings))


def open_rulebook(settings: Settings) -> Rulebook:
    """Read the lender's rules that the environment names, by default those of the project."""
    return Rulebook.read(Path(settings.rules_file or DEFAULT_RULES))
