"""Put a release into service in steps, and put it back where it does not hold; state is kept in the stacks alone.

An environment has two releases, blue and green, of which one serves. A deployment fills the other, tests it from
outside by requests that carry a token, and then shifts traffic to it step by step. The canary deployment of ECS itself
would need a Lambda function that waits for such a test, and its state is not visible in a stack.
"""

import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from research.cli import CommandError, described
from research.deployment.cloud.environment import raised_alarms
from research.deployment.cloud.smoke import Service, SmokeError, smoke
from research.deployment.cloud.stacks import NEVER_STARTED, StackError, Stacks, stack_name

COLOURS = ("blue", "green")
STEPS = (10, 50, 100)
"""Percent of the requests that a new release is given, one after the other."""
WATCH_MINUTES = 5
"""Minutes for which CloudFormation watches the alarms after each step: two evaluations of the slowest of them."""
CUT_AFTER = timedelta(minutes=30)
"""After so long without a step a deployment is taken for cut; the longest step, a new release, takes ten minutes."""
NONE = "none"
NO_DECISIONS = "-no-decisions"
"""End of the name of the alarm on missing decisions."""
TEST_HEADER = "X-Release-Test"
PUT_BACK = 3
"""Exit code of a deployment that failed: the release of before serves."""
OF_SIZE, AT_REST = -1, 0
"""Values of the parameter `Tasks`."""


class DeploymentError(CommandError):
    """A deployment failed, and the release of before serves as it did."""

    exit_code = PUT_BACK


@dataclass(frozen=True)
class Release:
    """What is deployed: an image by its digest, and the version of the model in it."""

    image: str
    model_version: str


class Deployment:
    """One deployment in an environment; the parameters of the traffic's stack say how far it is."""

    def __init__(self, stacks: Stacks, environment: str, *, url: str = "", key: str = "", watch: int = WATCH_MINUTES):
        self._stacks, self._environment, self._watch = stacks, environment, watch
        remedy = f"create it with: python -m research cloud create --environment {environment}"
        self._durable = stacks.require(stack_name(environment), remedy)
        self._traffic = stacks.require(stack_name(environment, "traffic"), remedy)
        self._id, self._token = secrets.token_hex(4), secrets.token_hex(16)
        self._url = url or self._durable.outputs["Address"]
        self._key = key or self._stored_key()

    @property
    def serving(self) -> str:
        """The colour of the release that serves, or served before a deployment that was cut."""
        return self._traffic.parameters["Serving"]

    @property
    def candidate(self) -> str:
        """The other colour."""
        return next(colour for colour in COLOURS if colour != self.serving)

    def release_of(self, colour: str) -> Release | None:
        """Return what a colour's stack holds, or None."""
        stack = self._stacks.find(stack_name(self._environment, colour))
        if stack is None or stack.status in NEVER_STARTED:
            return None
        return Release(stack.parameters["Image"], stack.parameters["ModelVersion"])

    def deploy(self, release: Release, steps: Sequence[int] = STEPS, *, take_over: bool = False) -> None:
        """Start a release beside the one that serves, test it, and shift traffic to it in steps.

        Raises:
            CommandError: before anything was changed: another deployment is in work, an alarm is raised, there is no
                such image.
            DeploymentError: the release did not start, failed its test, or raised an alarm; that of before serves.
        """
        _require_image(self._stacks.region, release.image)
        serving = self.release_of(self.serving)
        if serving == release and self._traffic.parameters["Deployment"] == NONE:
            print(f"{self.serving}: serves {release.image} already", file=sys.stderr)
            smoke(Service(url=self._url, key=self._key), release.model_version)
            return
        self._begin(take_over)
        try:
            print(f"{self.candidate}: starting {release.image}", file=sys.stderr)
            self._apply_release(self.candidate, release, OF_SIZE)
            self._test(release, "before any client reaches it", {TEST_HEADER: self._token})
            for share in steps:
                print(f"{self.candidate}: {share} % of the requests", file=sys.stderr)
                self._shift(share)
            self._test(release, "as clients reach it", {})
        except (StackError, SmokeError, DeploymentError, ClientError, BotoCoreError) as error:
            self._put_back()
            kept = (
                f"{self.serving} serves {serving.image}" if serving else "nothing served before, and nothing serves now"
            )
            raise DeploymentError(f"not deployed: {described(error)}; {kept}") from error
        accepted, former = self.candidate, self.serving
        self._set_traffic(
            {
                "Serving": accepted,
                "Candidate": former,
                "Deployment": NONE,
                "FormerImage": serving.image if serving else "",
                "FormerModelVersion": serving.model_version if serving else "",
            }
        )
        self._rest(former)

    def rollback(self, *, take_over: bool = False) -> Release:
        """Put the release deployed before back into service, in one step once it has passed its test; return it.

        Raises:
            CommandError: there is none, or another deployment is in work.
            DeploymentError: it did not start or pass its test.
        """
        former = Release(self._traffic.parameters["FormerImage"], self._traffic.parameters["FormerModelVersion"])
        if not former.image:
            raise CommandError(f"{self._environment} has no release of before: nothing was deployed twice")
        self.deploy(former, steps=STEPS[-1:], take_over=take_over)
        return former

    def _begin(self, take_over: bool) -> None:
        """Mark the deployment as begun, and put traffic to the release that serves, where a former one was cut."""
        others = self._traffic.parameters["Deployment"]
        if others != NONE and not take_over:
            begun = datetime.fromisoformat(others.partition("@")[2])
            if datetime.now(UTC) - begun < CUT_AFTER:
                raise CommandError(
                    f"a deployment to {self._environment} is in work, at its last step since {begun:%H:%M} UTC; "
                    "wait for its end. If it was cut, run this again with --take-over, or after "
                    f"{begun + CUT_AFTER:%H:%M} UTC"
                )
        is_first = self.release_of(self.serving) is None
        alarms = [] if is_first else self._raised()
        if alarms and not take_over:
            raise CommandError(
                f"{', '.join(alarms)} is raised: mend that first, as a new release could not be judged; to deploy what "
                "mends it, use --take-over"
            )
        self._id = secrets.token_hex(4)
        self._set_traffic({**self._weights(0), "Candidate": self.candidate}, checks_id=False)

    def _weights(self, share: int) -> dict[str, str | int]:
        weights = {self.serving: 100 - share, self.candidate: share}
        return {f"{colour.title()}Weight": weight for colour, weight in weights.items()}

    def _set_traffic(self, changes: Mapping[str, str | int], *, checks_id: bool = True, watch: bool = False) -> None:
        """Change parameters of the traffic; stop where another deployment has begun meanwhile."""
        name = self._traffic.name
        present = self._stacks.require(name, "create the environment anew")
        if checks_id and present.parameters["Deployment"].partition("@")[0] != self._id:
            raise CommandError(
                f"another deployment to {self._environment} has begun; this one ends, and leaves the traffic to that"
            )
        mark = f"{self._id}@{datetime.now(UTC).isoformat(timespec='seconds')}"
        parameters = {**present.parameters, "Deployment": mark, "TestToken": self._token, **changes}
        alarms = self._durable.outputs["AlarmsThatRollBack"].split(",") if watch else []
        self._traffic = self._stacks.apply(
            name, "traffic.yaml", parameters, role=self._role, alarms=alarms, watch_minutes=self._watch
        )

    @property
    def _role(self) -> str:
        return self._durable.outputs["ReleaseRole"]

    def _apply_release(self, colour: str, release: Release, tasks: int) -> None:
        parameters: dict[str, str | int] = {
            "Environment": self._durable.name,
            "Colour": colour,
            "Size": self._durable.outputs["Size"],
            "Image": release.image,
            "ModelVersion": release.model_version,
            "Tasks": tasks,
        }
        name = stack_name(self._environment, colour)
        self._stacks.apply(name, "release.yaml", parameters, role=self._role)

    def _test(self, release: Release, when: str, headers: Mapping[str, str]) -> None:
        service = Service(url=self._url, key=self._key, headers=headers)
        decision_id = smoke(service, release.model_version)
        print(f"{self.candidate}: passed its test {when} (decision {decision_id})", file=sys.stderr)

    def _shift(self, share: int) -> None:
        """Give the candidate a share of the requests; CloudFormation takes it back where an alarm is raised."""
        self._set_traffic(self._weights(share), watch=True)
        alarms = self._raised()
        if alarms:
            raise DeploymentError(f"{', '.join(alarms)} was raised at {share} % of the requests")

    def _raised(self) -> list[str]:
        """Return the alarms that speak of the release; that no request arrives is not its fault."""
        raised = raised_alarms(self._stacks.region, self._environment)
        return [name for name in raised if not name.endswith(NO_DECISIONS)]

    def _put_back(self) -> None:
        """Put all traffic to the release that served, and let the other rest."""
        self._set_traffic({**self._weights(0), "Deployment": NONE})
        self._rest(self.candidate)

    def _rest(self, colour: str) -> None:
        """End the tasks of a colour; its stack keeps the image, for `rollback`."""
        release = self.release_of(colour)
        if release is not None:
            self._apply_release(colour, release, AT_REST)

    def scale(self, tasks: int) -> None:
        """Set how many tasks run, of the release that serves and of the page: 0 rests, -1 is the number of the size."""
        release = self.release_of(self.serving)
        if release is None:
            raise CommandError(f"nothing is deployed in {self._environment}")
        self._apply_release(self.serving, release, tasks)
        page = self._stacks.find(stack_name(self._environment, "page"))
        if page is not None:
            self._stacks.apply(page.name, "page.yaml", {**page.parameters, "Tasks": tasks}, role=self._role)

    def deploy_page(self, image: str) -> None:
        """Replace the tasks of the page, one by one; ECS keeps those of before where the new ones do not start.

        Raises:
            CommandError: there is no such image.
            DeploymentError: the new tasks did not start.
        """
        _require_image(self._stacks.region, image)
        parameters: dict[str, str | int] = {
            "Environment": self._durable.name,
            "Size": self._durable.outputs["Size"],
            "Image": image,
            "Tasks": OF_SIZE,
        }
        try:
            self._stacks.apply(stack_name(self._environment, "page"), "page.yaml", parameters, role=self._role)
        except StackError as error:
            raise DeploymentError(f"the page is as before: {error}") from error

    def _stored_key(self) -> str:
        client = boto3.client("secretsmanager", region_name=self._stacks.region)
        try:
            return str(client.get_secret_value(SecretId=self._durable.outputs["SmokeKey"])["SecretString"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise CommandError(
                f"the key of the smoke test has no value; run: python -m research cloud create --environment "
                f"{self._environment}, which gives it one"
            ) from error


def _require_image(region: str, image: str) -> None:
    """Raise CommandError unless the registry of this account holds an image by its digest."""
    repository, _, digest = image.partition("@")
    if not digest.startswith("sha256:"):
        raise CommandError(f"{image} names no digest (REPOSITORY@sha256:…), and a tag could become another image")
    name = repository.partition("/")[2]
    client = boto3.client("ecr", region_name=region)
    try:
        client.describe_images(repositoryName=name, imageIds=[{"imageDigest": digest}])
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ImageNotFoundException", "RepositoryNotFoundException"):
            raise
        raise CommandError(f"the registry holds no {image}; push it with: python -m research cloud push") from error
