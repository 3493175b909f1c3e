"""Everything that the environment may set for research, read in one place."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from research.cli import ROOT


class Settings(BaseSettings):
    """Environment variables of research; an empty one counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, extra="ignore")

    scoring_data: Path = ROOT / "data"
    """Folder of data, results and logs."""
    mlflow_tracking_uri: str = f"sqlite:///{ROOT / 'mlflow.db'}"
    """Where runs and the registry are kept."""
    notebook_data: Path | None = None
    """Folder of data that the notebooks open; the default data without it."""
