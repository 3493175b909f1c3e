"""The journal of an environment is read by a role and from inside its network alone."""

import stat
from pathlib import Path

import boto3
import pytest
import sqlalchemy as sa

from bento.journal.vault import Vault
from research.cli import CommandError
from research.deployment.cloud.journal import allow_watch, fetch_journal
from research.deployment.cloud.stacks import Stacks
from tests.cloud.conftest import PEM, REGION


def test_the_workflow_is_given_a_role(staging: Stacks):
    role = allow_watch(staging, "staging", "lender/scoring").outputs["WatchRole"]

    trusted = boto3.client("iam", region_name=REGION).get_role(RoleName=role.rpartition("/")[2])["Role"]
    (statement,) = trusted["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"] == (
        "repo:lender/scoring:environment:drift"
    )


def test_address_and_keys_are_written_for_this_user_alone(staging: Stacks, tmp_path: Path):
    folder = tmp_path / "journal"

    fetch_journal(staging, "staging", folder)

    url = sa.make_url((folder / "url").read_text().strip())
    assert (url.username, url.database, url.query["sslmode"]) == ("scoring_service", "scoring", "verify-full")
    assert url.password
    assert Path(str(url.query["sslrootcert"])).read_text().strip() == PEM.strip()
    assert Vault.from_file(str(folder / "master.key")) is not None
    assert [stat.S_IMODE(path.stat().st_mode) for path in sorted(folder.iterdir())] == [0o600] * 3
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_secret_that_may_not_be_read_is_named_with_the_remedy(staging: Stacks, tmp_path: Path):
    stack = staging.find("credit-scoring-staging")
    assert stack is not None
    boto3.client("secretsmanager", region_name=REGION).delete_secret(
        SecretId=stack.outputs["MasterKey"], ForceDeleteWithoutRecovery=True
    )

    with pytest.raises(
        CommandError, match=r"MasterKey.* cannot be read \(ResourceNotFoundException\); see that the role"
    ):
        fetch_journal(staging, "staging", tmp_path)
