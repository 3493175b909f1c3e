"""The decisions of the service on the clients of a portfolio, one credit file at a time."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from bento.data.credit_file import CreditFile
from bento.data.tables import HISTORIES, TARGET
from bento.model.scoring_model import ScoringModel
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.score import ScoredApplication, score
from tests.support.clients import credit_file


def scored_online(model_folder: Path, tables: dict[str, pl.DataFrame]) -> Iterator[tuple[int, ScoredApplication]]:
    """Yield each client with its score, in the order of the ids."""
    model = ScoringModel(model_folder)
    rules = Rules(Rulebook.read(), model.reference.usual)
    for application in tables["application_train"].drop(TARGET.name).sort("SK_ID_CURR").iter_slices(1):
        client = application["SK_ID_CURR"][0]
        own = {name: tables[name].filter(SK_ID_CURR=client) for name in HISTORIES if name != "bureau_balance"}
        own["bureau_balance"] = tables["bureau_balance"].join(own["bureau"], on="SK_ID_BUREAU", how="semi")
        content = CreditFile.model_validate_json(json.dumps(credit_file({"application": application, **own})))
        yield client, score(model, [content], rules=rules, reasons=True)[0]
