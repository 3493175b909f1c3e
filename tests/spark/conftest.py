"""One Spark session on this machine, as `spark-submit` would make it on a cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from bento.portfolio.spark import session
from tests.bento import conftest as of_bento
from tests.bento.portfolio import conftest as of_portfolio

model_folder, synthetic_folder = of_bento.model_folder, of_bento.synthetic_folder
portfolio, tables = of_portfolio.portfolio, of_portfolio.tables


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Return a session of two cores, in which a task is tried three times; its commands find it active."""
    folder: Path = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_DIRS", str(folder))
        patch.setenv("PYSPARK_SUBMIT_ARGS", "--conf spark.ui.enabled=false pyspark-shell")
        with session("local[2,3]") as made:
            yield made
