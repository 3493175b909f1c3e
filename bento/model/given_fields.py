"""Which optional fields the credit files of the training clients held."""

from pydantic import BaseModel, ConfigDict, Field

RARE_SHARE = 0.005
"""Share of the training clients below which unknown is rare: of a field, that a file should hold it; of a feature, that
an unknown value is read as the typical one."""
MIN_CLIENTS = 50
"""Least number of training clients with rows in a table, for a statement on what their files hold."""


class GivenFields(BaseModel):
    """The fields of one table in the credit files of the training clients who have rows in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clients: int = Field(ge=0, description="with rows in the table")
    unknown: dict[str, float] = Field(
        description="by optional column: share of these clients whose file holds no value of it, in any row"
    )

    def expected(self) -> list[str]:
        """Return the columns that nearly every file holds."""
        if self.clients < MIN_CLIENTS:
            return []
        return [column for column, share in self.unknown.items() if share < RARE_SHARE]
