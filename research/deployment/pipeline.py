"""Train, promote, import, build a Bento, and score one client with its service, which is then stopped."""

import argparse
import contextlib
import json
from pathlib import Path
from typing import Any

import bentoml
from mlflow.entities.model_registry import ModelVersion

from bento import NAME
from bento.api.endpoints import PREDICT
from bento.data.readers import read_client
from research import tracking
from research.cli import add_data_option, exclusive
from research.data.dataset import DATA, Data, open_data
from research.data.example_credit_files import credit_file
from research.deployment.build_bento import build_bento
from research.deployment.import_model import import_model
from research.deployment.processes import LOOPBACK, ask, free_port, serving
from research.evaluation.review_band import add_capacity_option
from research.registry.promote import print_verdict, promote
from research.training.settings import DEFAULTS, Settings
from research.training.train import print_training, train

EXAMPLE = "python -m research pipeline --data data/raw"


def pipeline(data: Data, reuse: bool = False, settings: Settings = DEFAULTS) -> bentoml.Bento:
    """Build a Bento from data; with `reuse`, skip the steps whose product exists.

    Where the gate refuses the challenger, the champion stays and is imported; without one, CommandError is raised. A
    champion is not reused where the settings name another review capacity than its own.
    """
    client = tracking.connect()
    champion = tracking.registered(client, tracking.CHAMPION)
    if champion is None or not reuse or not _made_from(champion, data) or not _reviews(champion, settings):
        print_training(train(data, settings), data)
        print_verdict(promote(data, new_data=champion is not None and not _made_from(champion, data)))
        champion = tracking.champion(client)
    model = import_model(champion)
    print(f"{model.tag} imported from {NAME} version {champion.version}")
    bento = build_bento(reuse)
    print(f"{bento.tag} built")
    return bento


def pipeline_lock() -> contextlib.AbstractContextManager[None]:
    """Return the lock by which one process at a time makes data, model and Bento in this folder of data."""
    return exclusive(DATA / "pipeline.lock", "makes data, model and Bento")


def _made_from(registered: ModelVersion, data: Data) -> bool:
    """Tell whether a version was trained on this data by this code."""
    return tracking.made_from(data.source).items() <= registered.tags.items()


def _reviews(registered: ModelVersion, settings: Settings) -> bool:
    """Tell whether a version's review capacity is that of the settings, where they name one."""
    return not settings.capacity or registered.tags.get(tracking.CAPACITY_TAG) == f"{settings.capacity:g}"


def write_credit_file(data: Data, client: int) -> Path:
    """Write one client's credit file as JSON under data/credit_files, for curl and the UI."""
    path = DATA / "credit_files" / f"client_{client}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(credit_file(read_client(data.folder, "application_train", client)), indent=1) + "\n")
    return path


def print_decision(answer: dict[str, Any]) -> None:
    """Print one client's decision in words."""
    print(
        f"client {answer['SK_ID_CURR']}: {answer['decision']}, probability of default "
        f"{answer['probability_of_default']:.4f}, threshold {answer['threshold']:.4f}, "
        f"{answer['model']['name']} version {answer['model']['version']}"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add data, the client to score and the review capacity."""
    add_data_option(parser)
    parser.add_argument("--client", type=int, help="SK_ID_CURR of the client to score; the first one by default")
    add_capacity_option(parser)


def run(options: argparse.Namespace) -> None:
    """Run the pipeline and print the decision on one client."""
    settings = Settings(capacity=options.capacity)
    with pipeline_lock():
        data = open_data(options.data)
        bento = pipeline(data, settings=settings)
        path = write_credit_file(data, options.client or data.first_client())
        port = free_port()
        with serving(str(bento.tag), port):
            print_decision(ask(f"http://{LOOPBACK}:{port}{PREDICT.path}", path.read_bytes()))
    print("serve this Bento with: make serve")
