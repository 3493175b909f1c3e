"""Everything that the environment may set for the page, read in one place."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MAX_UPLOAD_MIB = 2
"""Size of an uploaded credit file in MiB; several times the longest real credit history."""


class Settings(BaseSettings):
    """Environment variables of the page; an empty one counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, str_strip_whitespace=True, extra="ignore")

    api_url: str = "http://127.0.0.1:3000"
    """Address of the scoring service."""
    scoring_api_key: str = ""
    """Access key with the scope `score`; none is sent without it."""
    api_timeout: float = Field(default=10.0, gt=0)
    """Seconds to wait for an answer."""
    ui_examples: Path = Path(__file__).parent / "examples"
    """Folder of the example clients, one JSON file each; used where `ui_clients` names no folder."""
    ui_sign_in: Literal["off", "required"] = "off"
    """`required`: the page stays closed where no provider is set up in the section `[auth]` of Streamlit's secrets."""
    ui_clients: Path | None = None
    """Folder of the clients that can be searched: Parquet or CSV files named after the tables."""
    ui_drafts: Path = Path(__file__).parents[1] / "data" / "ui_drafts"
    """Folder of what officers have begun; it holds personal data for a day."""
    lender_name: str = "Prêt à dépenser"
    """Name of the lender on letters to clients."""
    lender_address: str = ""
    """Postal address of the lender on letters, and where clients write to; lines are separated by `|`."""
    lender_contact: str = ""
    """Telephone and email of the lender on letters."""
    accessibility_contact: str = ""
    """Where officers report that a page is not accessible to them: an email address or a telephone number."""
    ui_results: Path = Path(__file__).parents[1] / "research" / "results"
    """Folder of the results of the training that the page on the model shows."""
    ui_drift: Path = Path(__file__).parents[1] / "data" / "results" / "drift"
    """Folder of the runs of the watch on drift, with their list `index.json`."""
