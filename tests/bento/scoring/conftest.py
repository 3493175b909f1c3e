"""Small models of either family, trained on the amounts, some scores and some history, and the files they score."""

import json
from pathlib import Path

import pytest

from bento.data.credit_file import CreditFile
from bento.model.scoring_model import ScoringModel
from tests.support.clients import make_credit_files
from tests.support.small_model import write_small_model

CLIENTS = 60
NAMES = [
    "application_ext_source_2",
    "application_ext_source_3",
    "application_credit",
    "application_annuity",
    "application_goods_price",
    "application_credit_to_annuity",
    "application_credit_to_goods_price",
    "application_annuity_to_income",
    "application_occupation",
    "bureau_debt_to_loan",
    "previous_refused_share",
    "installments_days_late_mean",
    "application_due_in_previous_term_to_credit",
]


@pytest.fixture(scope="package", params=["lightgbm", "blend"])
def model(
    request: pytest.FixtureRequest, synthetic_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> ScoringModel:
    folder = tmp_path_factory.mktemp(request.param) / "model"
    return write_small_model(folder, synthetic_folder, NAMES, request.param)


@pytest.fixture(scope="package")
def credit_files() -> list[CreditFile]:
    return [CreditFile.model_validate_json(json.dumps(content)) for content in make_credit_files(CLIENTS)]
