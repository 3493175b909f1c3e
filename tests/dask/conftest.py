"""One cluster of two processes, as `dask worker` would start them on two machines."""

from collections.abc import Iterator

import pytest
from distributed import Client

from research.training.cluster import Cluster
from research.training.dask_engine import connected
from tests.research import conftest as of_research

client_of_mlflow, data = of_research.client, of_research.data


@pytest.fixture(scope="session")
def cluster() -> Iterator[Client]:
    """Return a client of two workers."""
    with connected(Cluster(workers=2)) as made:
        yield made
