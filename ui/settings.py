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
    """Folder of the example clients."""
    ui_sign_in: Literal["off", "required"] = "off"
    """`required`: people sign in first, at the provider in the section `[auth]` of Streamlit's secrets."""
