"""Bring the service to AWS: create an environment, push, deploy step by step, test, put back, destroy."""

import argparse
import os
import sys
from collections.abc import Callable

from bento import NAME
from research.cli import CommandError, user_path
from research.deployment.cloud import cost, environment, journal, push
from research.deployment.cloud.deploy import OF_SIZE, STEPS, WATCH_MINUTES, Deployment, Release
from research.deployment.cloud.environment import ENVIRONMENTS, SIZES
from research.deployment.cloud.smoke import READY_TIMEOUT_S, Service, smoke
from research.deployment.cloud.stacks import POLL_S, REGION, Stacks, stack_name
from research.deployment.containerize import ENGINES, find_engine

EXAMPLE = "python -m research cloud deploy --environment staging --image REPOSITORY@sha256:… --model-version 3"
KEY_VARIABLE = "SCORING_KEY"
Run = Callable[[argparse.Namespace], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command for each step, in the order in which they are taken."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str, run: Run, *, in_environment: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        added.add_argument(
            "--region",
            default=os.environ.get("AWS_REGION") or REGION,
            help="region of AWS, by default AWS_REGION or %(default)s",
        )
        added.add_argument("--poll", type=float, default=POLL_S, metavar="SECONDS", help="between two looks at a stack")
        if in_environment:
            added.add_argument("--environment", choices=ENVIRONMENTS, required=True)
        return added

    _add_creation(command)
    _add_deployment(command)
    text = "show the state of an environment: stacks, releases, alarms that are raised"
    command("status", text, _status)
    text = "list what would be lost, ask, and delete an environment"
    destroying = command("destroy", text, _destroy)
    destroying.add_argument(
        "--delete-journal", metavar="ENVIRONMENT", help="the name of the environment, typed again: its journal goes too"
    )
    destroying.add_argument("--yes", action="store_true", help="do not ask")
    text = "let the workflow drift.yml of a repository read the journal of an environment"
    allowing = command("allow-watch", text, _allow_watch)
    allowing.add_argument("--repository", required=True, metavar="OWNER/NAME", help="your repository on GitHub")
    text = "write address, master key and certificates of the journal into a folder, for a machine in its network"
    fetching = command("journal", text, _journal)
    fetching.add_argument("--output", type=user_path, required=True, metavar="DIR", help="where they are written")
    costing = command("cost", "print what an environment costs in a month", _cost, in_environment=False)
    costing.add_argument("--size", choices=SIZES, help="one size only, line by line")
    costing.add_argument("--sources", action="store_true", help="the prices, with date and source")


def _add_creation(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = "make an account ready, once: registry of images, trust in GitHub, the role that pushes"
    bootstrapping = command("bootstrap", text, _bootstrap, in_environment=False)
    bootstrapping.add_argument("--repository", required=True, metavar="OWNER/NAME", help="your repository on GitHub")
    bootstrapping.add_argument(
        "--oidc-provider", default="", metavar="ARN", help="of GitHub, where the account has one"
    )
    creating = command("create", "create or change an environment; says what it costs, and asks", _create)
    creating.add_argument("--size", choices=SIZES, help="small costs least; standard stays up where a zone fails")
    creating.add_argument("--repository", metavar="OWNER/NAME", help="whose workflows may deploy here")
    creating.add_argument("--alarm-email", metavar="ADDRESS", help="who is written to about alarms")
    creating.add_argument(
        "--silent-minutes", type=int, metavar="N", help="alarm after N minutes without a decision; 0: none"
    )
    creating.add_argument("--domain", help="name of your own for the service")
    creating.add_argument("--page-domain", help="name of your own for the page")
    creating.add_argument("--certificate", metavar="ARN", help="in us-east-1, for these names")
    creating.add_argument(
        "--database-ca",
        type=user_path,
        metavar="FILE",
        help="certificates of the database, by default downloaded from AWS",
    )
    creating.add_argument("--yes", action="store_true", help="do not ask")
    pushing = command("push", "push image and page to the registry, and write them by digest to a file", _push)
    pushing.add_argument(
        "--engine", choices=ENGINES, help="by default the first of these that is installed and running"
    )
    pushing.add_argument("--bento", default=f"{NAME}:latest", metavar="TAG", help="tag of the Bento")
    pushing.add_argument(
        "--image", metavar="NAME", help="local image or docker-archive:FILE, by default named as the Bento"
    )
    pushing.add_argument("--page", metavar="NAME", help="local image of the page, to be pushed too")
    pushing.add_argument(
        "--output", type=user_path, default="deployment.json", metavar="FILE", help="where it is written"
    )


def _add_deployment(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = "start a release beside the present one, test it, shift traffic to it in steps; put it back where it fails"
    deploying = command("deploy", text, _deploy)
    deploying.add_argument(
        "--image", required=True, metavar="REPOSITORY@sha256:…", help="by its digest, as `push` wrote it"
    )
    deploying.add_argument("--model-version", required=True, metavar="V", help="that the release must serve")
    deploying.add_argument("--page", metavar="REPOSITORY@sha256:…", help="image of the page, replaced afterwards")
    steps = ",".join(map(str, STEPS))
    deploying.add_argument("--steps", default=steps, help="percent of the requests, one after the other")
    rolling = command("rollback", "put the release deployed before back into service", _rollback)
    for parser in (deploying, rolling):
        parser.add_argument("--url", default="", help="address that the tests ask, by default that of the environment")
        parser.add_argument(
            "--watch", type=int, default=WATCH_MINUTES, metavar="MINUTES", help="over alarms, after each step"
        )
        parser.add_argument(
            "--take-over", action="store_true", help="although another deployment is in work, or an alarm raised"
        )
    testing = command(
        "smoke", "test a deployed service from outside: 0 it holds, 1 it does not", _smoke, in_environment=False
    )
    testing.add_argument("--url", required=True, help="address of the service")
    testing.add_argument("--model-version", required=True, metavar="V", help="that it must serve")
    testing.add_argument(
        "--key-file",
        type=user_path,
        metavar="FILE",
        help=f"holds a key with the scopes score and read; else {KEY_VARIABLE}",
    )
    testing.add_argument(
        "--ready-timeout", type=float, default=READY_TIMEOUT_S, metavar="SECONDS", help="to become ready"
    )
    scaling = command("scale", "set how many tasks run: 0 lets service, page and (small) database rest", _scale)
    scaling.add_argument("--tasks", type=int, default=OF_SIZE, metavar="N", help="-1 is the number of the size")


def run(options: argparse.Namespace) -> None:
    """Run the sub-command."""
    options.run(options)


def _stacks(options: argparse.Namespace) -> Stacks:
    return Stacks(options.region, options.poll)


def _confirm(question: str, options: argparse.Namespace) -> None:
    """Ask, unless `--yes` was given; raise CommandError where the answer is not yes, or there is no terminal."""
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise CommandError(f"{question} There is no terminal to ask at: confirm with --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("not confirmed; nothing was changed")


def _bootstrap(options: argparse.Namespace) -> None:
    price = cost.prices()["prices"]["image_gb_month"]["price"]
    print(f"costs nothing but the storage of images, {price:.2f} USD for each GB and month", file=sys.stderr)
    stack = environment.bootstrap(_stacks(options), options.repository, options.oidc_provider)
    print(f"role that pushes, for the workflow: {stack.outputs.get('PushRole', '')}")


def _create(options: argparse.Namespace) -> None:
    stacks, name = _stacks(options), stack_name(options.environment)
    present = stacks.find(name)
    size = options.size or (present.parameters.get("Size") if present else None)
    if size is None or (present is None and options.repository is None):
        raise CommandError("a new environment needs --size (small or standard) and --repository (OWNER/NAME)")
    print(cost.summary(size), file=sys.stderr)
    _confirm(f"{'Change' if present else 'Create'} {name} in {stacks.region}?", options)
    given = {
        "Size": size,
        "Repository": options.repository,
        "AlarmEmail": options.alarm_email,
        "SilentMinutes": options.silent_minutes,
        "Domain": options.domain,
        "PageDomain": options.page_domain,
        "Certificate": options.certificate,
    }
    settings = {key: value for key, value in given.items() if value is not None}
    stack = environment.create(stacks, options.environment, settings, options.database_ca)
    print(f"service: {stack.outputs['Address']}")
    print(f"role that deploys, for the workflow: {stack.outputs.get('DeployRole', '')}")


def _push(options: argparse.Namespace) -> None:
    engine = find_engine(options.engine)
    pushed = push.push(options.region, engine, options.bento, options.image, options.page)
    push.write(pushed, options.output)
    print(f"{pushed.image} holds model version {pushed.model_version}; written to {options.output}")


def _deployment(options: argparse.Namespace) -> Deployment:
    key = os.environ.get(KEY_VARIABLE, "")
    return Deployment(_stacks(options), options.environment, url=options.url, key=key, watch=options.watch)


def _deploy(options: argparse.Namespace) -> None:
    try:
        steps = [int(step) for step in options.steps.split(",")]
    except ValueError as error:
        raise CommandError(f"--steps {options.steps}: give percents such as 10,50,100") from error
    if steps != sorted(set(steps)) or not 0 < steps[0] <= steps[-1] == STEPS[-1]:
        raise CommandError(f"--steps {options.steps}: percents must grow, and end with 100")
    deployment = _deployment(options)
    deployment.deploy(Release(options.image, options.model_version), steps, take_over=options.take_over)
    if options.page:
        deployment.deploy_page(options.page)
    print(f"{options.environment} serves {options.image}, model version {options.model_version}")


def _rollback(options: argparse.Namespace) -> None:
    release = _deployment(options).rollback(take_over=options.take_over)
    print(f"{options.environment} serves {release.image}, model version {release.model_version}, as before")


def _smoke(options: argparse.Namespace) -> None:
    key = options.key_file.read_text("utf-8").strip() if options.key_file else os.environ.get(KEY_VARIABLE, "")
    if not key:
        raise CommandError(f"no key: name a file by --key-file, or set {KEY_VARIABLE}")
    decision_id = smoke(Service(url=options.url, key=key), options.model_version, options.ready_timeout)
    print(f"{options.url} serves model version {options.model_version}; decided, read back and replayed: {decision_id}")


def _scale(options: argparse.Namespace) -> None:
    Deployment(_stacks(options), options.environment, key="-").scale(options.tasks)


def _status(options: argparse.Namespace) -> None:
    print("\n".join(environment.status(_stacks(options), options.environment)))


def _destroy(options: argparse.Namespace) -> None:
    stacks = _stacks(options)
    losses = environment.losses(stacks, options.environment)
    if not losses:
        raise CommandError(f"there is no environment {options.environment} in {stacks.region}")
    print("this is lost:", *losses, sep="\n  ", file=sys.stderr)
    has_journal = any(line.startswith("the journal") for line in losses)
    if has_journal and options.delete_journal != options.environment:
        raise CommandError(
            f"the journal of {options.environment} would be deleted; if that is wanted, add "
            f"--delete-journal {options.environment}; nothing was changed"
        )
    _confirm(f"Destroy {options.environment}?", options)
    environment.destroy(stacks, options.environment)
    print(f"{options.environment} is destroyed")


def _allow_watch(options: argparse.Namespace) -> None:
    stack = journal.allow_watch(_stacks(options), options.environment, options.repository)
    print(f"role that reads the journal, for the workflow: {stack.outputs['WatchRole']}")


def _journal(options: argparse.Namespace) -> None:
    journal.fetch_journal(_stacks(options), options.environment, options.output)
    print(f"{options.output} holds address and keys of the journal of {options.environment}: delete it after use")


def _cost(options: argparse.Namespace) -> None:
    if options.sources:
        print(cost.sources())
    elif options.size:
        for line in [*(lines := cost.bill(options.size)), cost.total(lines)]:
            print(f"{line.name:45} {line.month:8.2f} a month {line.million:8.2f} a million decisions")
    else:
        print(cost.table())
