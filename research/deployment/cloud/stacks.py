"""Stacks of CloudFormation: create, update and delete them, wait for the end, and name the reason of a failure."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError

from research.cli import ROOT, CommandError

TEMPLATES = ROOT / ".github" / "cloud"
PROJECT = "credit-scoring"
REGION = "eu-west-1"
"""Ireland: the region of the prices in prices.json."""
POLL_S = 5.0
"""Seconds between two looks at a stack; AWS limits how often one may look."""
STACK_TIMEOUT_S = 3600.0
"""Seconds that a stack may take; an environment with its database and CloudFront takes a quarter of an hour."""
NO_CHANGE = "No updates are to be performed"
NEVER_STARTED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")
"""Statuses of a stack whose creation or deletion failed: it can only be deleted."""
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


class StackError(CommandError):
    """A stack could not be brought to what was asked; CloudFormation has put it back as it was."""


@dataclass(frozen=True)
class Stack:
    """A stack as it is: name, status, the parameters it was given, its outputs."""

    name: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def is_in_progress(self) -> bool:
        """Whether CloudFormation is changing it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


def stack_name(environment: str, part: str = "") -> str:
    """Return the name of an environment's stack, or of a part on top of it.

    >>> stack_name("staging"), stack_name("staging", "blue")
    ('credit-scoring-staging', 'credit-scoring-staging-blue')
    """
    return "-".join(filter(None, (PROJECT, environment, part)))


class Stacks:
    """The stacks of an account in one region."""

    def __init__(self, region: str, poll_s: float = POLL_S) -> None:
        self.region, self._poll_s = region, poll_s
        self._client = boto3.client("cloudformation", region_name=region)

    def find(self, name: str) -> Stack | None:
        """Return the stack of a name, or None."""
        try:
            described = self._client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return Stack(
            name=name,
            status=described["StackStatus"],
            parameters={one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])},
            outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])},
        )

    def require(self, name: str, remedy: str) -> Stack:
        """Return a stack that is there and whole; raise CommandError, with the remedy, where it is not."""
        stack = self.find(name)
        if stack is None:
            raise CommandError(f"there is no stack {name} in {self.region}; {remedy}")
        self._require_at_rest(stack)
        if stack.status in NEVER_STARTED:
            raise CommandError(f"the stack {name} was never whole ({stack.status}); delete it, then {remedy}")
        return stack

    def apply(
        self,
        name: str,
        template: str,
        parameters: Mapping[str, str | int],
        *,
        role: str | None = None,
        alarms: Sequence[str] = (),
        watch_minutes: int = 0,
    ) -> Stack:
        """Create or update a stack from a template of `.github/cloud`, and wait until it is done.

        A stack whose creation failed is deleted first. With alarms, CloudFormation watches them during the change and
        for `watch_minutes` after it, and takes the change back when one is raised.

        Raises:
            StackError: it could not be done, or was taken back; the message holds the first reason.
            CommandError: something else is changing the stack.
        """
        stack = self.find(name)
        if stack is not None:
            self._require_at_rest(stack)
            if stack.status in NEVER_STARTED:
                self.delete(name)
                stack = None
        request: dict[str, Any] = {
            "StackName": name,
            "TemplateBody": (TEMPLATES / template).read_text("utf-8"),
            "Parameters": [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in parameters.items()],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": "project", "Value": PROJECT}],
        }
        if role is not None:
            request["RoleARN"] = role
        # Given with each change: CloudFormation would keep the alarms of the last one, and then refuse to put traffic
        # back while one of them is raised.
        triggers = [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in alarms]
        request["RollbackConfiguration"] = {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": watch_minutes}
        try:
            change = self._client.create_stack if stack is None else self._client.update_stack
            change(**request)
        except ClientError as error:
            if NO_CHANGE in str(error) and stack is not None:
                return stack
            raise
        return self._wait(name)

    def delete(self, name: str) -> None:
        """Delete a stack, and wait until it is gone; raise StackError where something keeps it."""
        stack = self.find(name)
        if stack is None:
            return
        self._require_at_rest(stack)
        self._client.delete_stack(StackName=name)
        self._wait(name, deleting=True)

    def _require_at_rest(self, stack: Stack) -> None:
        if stack.is_in_progress:
            raise CommandError(
                f"the stack {stack.name} is being changed ({stack.status}); wait until it is done, then run this again"
            )
        if stack.status == "UPDATE_ROLLBACK_FAILED":
            raise CommandError(
                f"the stack {stack.name} could not be put back; mend what the events name, then run: "
                f"aws cloudformation continue-update-rollback --stack-name {stack.name}"
            )

    def _wait(self, name: str, deleting: bool = False) -> Stack:
        start = time.monotonic()
        reported = ""
        while time.monotonic() - start < STACK_TIMEOUT_S:
            stack = self.find(name)
            if stack is None:
                return Stack(name, "DELETE_COMPLETE", {}, {})
            if stack.status != reported:
                print(f"  {name}: {stack.status}", file=sys.stderr, flush=True)
                reported = stack.status
            if not stack.is_in_progress:
                wanted = ("DELETE_COMPLETE",) if deleting else _DONE
                if stack.status not in wanted:
                    raise StackError(f"{name}: {stack.status}: {self.failure(name)}")
                return stack
            time.sleep(self._poll_s)
        raise CommandError(f"{name} is still {reported} after {STACK_TIMEOUT_S / 60:.0f} minutes; look at its events")

    def failure(self, name: str) -> str:
        """Return the first reason for which the last change of a stack failed, with the resource that it names."""
        failed = "no reason is given; look at the events of the stack"
        for event in self._client.describe_stack_events(StackName=name)["StackEvents"]:  # newest first
            is_start = event["LogicalResourceId"] == name and event["ResourceStatus"] in (
                "CREATE_IN_PROGRESS",
                "UPDATE_IN_PROGRESS",
                "DELETE_IN_PROGRESS",
            )
            if is_start:
                break
            reason = event.get("ResourceStatusReason", "")
            if event["ResourceStatus"].endswith("FAILED") and "cancelled" not in reason.lower():
                failed = f"{event['LogicalResourceId']}: {' '.join(reason.split())}"
            elif event["LogicalResourceId"] == name and "ROLLBACK_IN_PROGRESS" in event["ResourceStatus"] and reason:
                failed = " ".join(reason.split())
        return failed


class _Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation (`!Ref name`) as their long ones."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - there is no fourth kind
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _long_form)


def read_template(file: Path | str) -> dict[str, Any]:
    """Return a template of `.github/cloud` with the long forms of its functions."""
    template: dict[str, Any] = yaml.load((TEMPLATES / file).read_text("utf-8"), _Loader)  # noqa: S506 - a safe loader
    return template
