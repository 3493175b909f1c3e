"""An environment is created with its secrets, keeps what it has, says what is lost, and is destroyed."""

import base64
from pathlib import Path
from typing import Any

import boto3
import pytest

from bento.api.keys import KeysFile
from research.cli import CommandError
from research.deployment.cloud import environment
from research.deployment.cloud.journal import allow_watch
from research.deployment.cloud.stacks import Stack, StackError, Stacks
from tests.cloud.conftest import PEM, REGION, SETTINGS
from tests.support.commands import CommandRunner


def _secret(stack: Stack, output: str) -> str:
    client = boto3.client("secretsmanager", region_name=REGION)
    return str(client.get_secret_value(SecretId=stack.outputs[output])["SecretString"])


def _stack(stacks: Stacks) -> Stack:
    stack = stacks.find("credit-scoring-staging")
    assert stack is not None
    return stack


def test_secrets_are_made_once_and_fit_each_other(staging: Stacks):
    stack = _stack(staging)

    assert len(base64.b64decode(_secret(stack, "MasterKey"), validate=True)) == 32
    keys = KeysFile.model_validate_json(_secret(stack, "ApiKeys")).keys
    assert [key.scopes for key in keys] == [{"score"}, {"score", "read"}]
    assert keys[1].id in _secret(stack, "SmokeKey")
    ssm = boto3.client("ssm", region_name=REGION)
    assert ssm.get_parameter(Name="/credit-scoring-staging/database-ca")["Parameter"]["Value"] == PEM

    before = {output: _secret(stack, output) for output in ("MasterKey", "ApiKeys", "SmokeKey")}
    environment._fill_secrets(REGION, stack)

    assert {output: _secret(stack, output) for output in before} == before


def test_a_change_keeps_what_is_not_given(staging: Stacks, certificates: Path, monkeypatch: pytest.MonkeyPatch):
    # The server that stands for AWS cannot update this stack, so that what it would be asked is looked at.
    given: dict[str, Any] = {}
    present = _stack(staging)

    def noted(self: Stacks, name: str, template: str, parameters: dict[str, Any]) -> Stack:
        given.update(parameters)
        return present

    monkeypatch.setattr(Stacks, "apply", noted)
    environment.create(staging, "staging", {"Size": "standard", "SilentMinutes": 30}, certificates)

    assert (given["Size"], given["SilentMinutes"]) == ("standard", 30)
    assert given["Repository"] == "lender/scoring"
    assert given == {**present.parameters, "Size": "standard", "SilentMinutes": 30}


def test_a_protected_environment_is_released_before_it_is_deleted(staging: Stacks, monkeypatch: pytest.MonkeyPatch):
    steps: list[str] = []
    present = _stack(staging)
    standard = Stack(present.name, present.status, {**present.parameters, "Size": "standard"}, present.outputs)
    monkeypatch.setattr(Stacks, "find", lambda self, name: standard if name == present.name else None)
    monkeypatch.setattr(Stacks, "delete", lambda self, name: steps.append(f"delete {name}"))
    monkeypatch.setattr(
        Stacks, "apply", lambda self, name, template, parameters: steps.append(f"protection {parameters['Protection']}")
    )

    environment.destroy(staging, "staging")

    assert steps[-2:] == ["protection off", f"delete {present.name}"]


def test_the_role_that_reads_the_journal_ends_with_its_environment(staging: Stacks, monkeypatch: pytest.MonkeyPatch):
    role = allow_watch(staging, "staging", "lender/scoring").name
    deleted: list[str] = []
    monkeypatch.setattr(Stacks, "delete", lambda self, name: deleted.append(name))

    environment.destroy(staging, "staging")

    assert role in deleted
    assert deleted[-1] == _stack(staging).name


def test_what_is_no_certificate_is_refused(staging: Stacks, tmp_path: Path):
    (tmp_path / "ca.pem").write_text("<html>a proxy's page</html>")

    with pytest.raises(CommandError, match="--database-ca"):
        environment.create(staging, "staging", SETTINGS, tmp_path / "ca.pem")


def test_an_account_that_is_not_ready_is_named(stacks: Stacks, certificates: Path):
    other = Stacks("eu-west-3", poll_s=0.01)

    with pytest.raises(CommandError, match="no stack credit-scoring-account in eu-west-3; make the account ready"):
        environment.create(other, "production", SETTINGS, certificates)


def test_a_new_environment_says_what_it_costs_and_asks(staging: Stacks, capsys: pytest.CaptureFixture[str]):
    run = CommandRunner(capsys)

    code, _, missing = run("cloud", "create", "--environment", "production", "--size", "small")
    options = ("--size", "standard", "--repository", "lender/scoring")
    unanswered, _, error = run("cloud", "create", "--environment", "production", *options)

    assert (code, unanswered) == (2, 2)
    assert "needs --size" in missing
    assert "size standard: about" in error
    assert "Create credit-scoring-production in eu-west-1? There is no terminal to ask at: confirm with --yes" in error
    assert staging.find("credit-scoring-production") is None


@pytest.mark.promise("a journal is destroyed only where the environment's name is typed again")
def test_a_journal_is_destroyed_only_where_its_name_is_typed(staging: Stacks, capsys: pytest.CaptureFixture[str]):
    run = CommandRunner(capsys)

    for wrong in ((), ("--delete-journal", "production")):
        code, _, error = run("cloud", "destroy", "--environment", "staging", "--yes", *wrong)
        assert code == 2
        assert "all API keys" in error
        assert "add --delete-journal staging; nothing was changed" in error
    unanswered, _, error = run("cloud", "destroy", "--environment", "staging", "--delete-journal", "staging")
    assert (unanswered, "confirm with --yes" in error) == (2, True)
    assert _stack(staging).status == "CREATE_COMPLETE"


def test_what_does_not_exist_cannot_be_destroyed(staging: Stacks, capsys: pytest.CaptureFixture[str]):
    code, _, error = CommandRunner(capsys)("cloud", "destroy", "--environment", "production", "--yes")

    assert (code, error) == (2, "error: there is no environment production in eu-west-1\n")


def test_destroying_leaves_no_stack(staging: Stacks, capsys: pytest.CaptureFixture[str], certificates: Path):
    options = ("--yes", "--poll", "0.01", "--delete-journal", "staging")

    code, output, error = CommandRunner(capsys)("cloud", "destroy", "--environment", "staging", *options)

    assert (code, output) == (0, "staging is destroyed\n"), error
    assert staging.find("credit-scoring-staging") is None
    assert staging.find("credit-scoring-staging-traffic") is None
    environment.create(staging, "staging", SETTINGS, certificates)  # what was kept is not in the way of a new one


class _Described:
    """A CloudFormation that describes a stack as a test says, and notes what it is asked to do."""

    def __init__(self, *statuses: str, events: list[dict[str, str]] | None = None) -> None:
        self._statuses, self._events = list(statuses), events or []
        self.asked: list[str] = []
        self.requests: list[dict[str, Any]] = []

    def describe_stacks(self, StackName: str) -> dict[str, object]:
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        if status == "none":
            from botocore.exceptions import ClientError

            answer = {"Error": {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}}
            raise ClientError(answer, "DescribeStacks")  # type: ignore[arg-type]
        return {"Stacks": [{"StackStatus": status}]}

    def describe_stack_events(self, StackName: str) -> dict[str, object]:
        return {"StackEvents": self._events}

    def __getattr__(self, name: str):
        def ask(**request: Any) -> None:
            self.asked.append(name)
            self.requests.append(request)

        return ask


def _described(*statuses: str, events: list[dict[str, str]] | None = None) -> tuple[Stacks, _Described]:
    stacks, client = Stacks(REGION, poll_s=0), _Described(*statuses, events=events)
    stacks._client = client
    return stacks, client


def _event(resource: str, status: str, reason: str = "") -> dict[str, str]:
    return {"LogicalResourceId": resource, "ResourceStatus": status, "ResourceStatusReason": reason}


def test_a_stack_that_was_never_whole_is_deleted_before_it_is_made_again(aws_url: str):
    stacks, client = _described(
        "ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", "none", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"
    )

    stacks.apply("one", "traffic.yaml", {})

    assert client.asked == ["delete_stack", "create_stack"]


def test_a_stack_that_is_being_changed_is_left_alone(aws_url: str):
    stacks, client = _described("UPDATE_IN_PROGRESS")

    with pytest.raises(CommandError, match=r"is being changed \(UPDATE_IN_PROGRESS\); wait"):
        stacks.apply("one", "traffic.yaml", {})

    assert client.asked == []


def test_a_stack_that_could_not_be_put_back_is_named_with_its_remedy(aws_url: str):
    stacks, client = _described("UPDATE_ROLLBACK_FAILED")

    with pytest.raises(CommandError, match="aws cloudformation continue-update-rollback --stack-name one"):
        stacks.apply("one", "traffic.yaml", {})

    assert client.asked == []


def test_the_first_reason_of_the_last_change_is_reported(aws_url: str):
    events = [
        _event("one", "UPDATE_ROLLBACK_COMPLETE"),
        _event("Scaling", "UPDATE_FAILED", "Resource update cancelled"),
        _event("Service", "UPDATE_FAILED", "You have reached the limit\nof 5 tasks"),
        _event("one", "UPDATE_IN_PROGRESS", "User Initiated"),
        _event("Task", "CREATE_FAILED", "of an earlier change"),
    ]
    stacks, _ = _described("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", events=events)

    with pytest.raises(StackError) as raised:
        stacks.apply("one", "traffic.yaml", {})

    assert str(raised.value) == "one: UPDATE_ROLLBACK_COMPLETE: Service: You have reached the limit of 5 tasks"


def test_a_change_without_alarms_takes_those_of_the_last_one_away(aws_url: str):
    # Or else traffic could not be put back while an alarm is raised.
    stacks, client = _described("UPDATE_COMPLETE")

    stacks.apply("one", "traffic.yaml", {}, alarms=["an alarm"], watch_minutes=5)
    stacks.apply("one", "traffic.yaml", {})

    watched, unwatched = (request["RollbackConfiguration"] for request in client.requests)
    assert [trigger["Arn"] for trigger in watched["RollbackTriggers"]] == ["an alarm"]
    assert unwatched == {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}


def test_an_environment_that_was_never_whole_is_named(
    staging: Stacks, certificates: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = Stack("credit-scoring-production", "ROLLBACK_COMPLETE", {}, {})
    find = Stacks.find
    monkeypatch.setattr(Stacks, "find", lambda self, name: broken if name == broken.name else find(self, name))

    with pytest.raises(CommandError, match=r"is ROLLBACK_COMPLETE.*destroy --environment production"):
        environment.create(staging, "production", SETTINGS, certificates)


def test_without_credentials_one_line_says_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, aws_url: str
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    code, _, error = CommandRunner(capsys)("cloud", "status", "--environment", "staging")

    assert (code, error.count("\n")) == (2, 1)
    assert "credentials" in error
