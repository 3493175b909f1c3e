"""Draw decisions at random without reading all of them."""

import secrets
import uuid

import sqlalchemy as sa

from bento.journal.schema import DECISIONS

NEIGHBOURS = 20
"""Decisions at a place of the index, of which one is drawn: the next one alone would be drawn by its distance."""
MIN_REPEATED = 10
"""Draws of a decision that was drawn before, after which all are read instead."""


def drawn(connection: sa.Connection, query: sa.Select[str], limit: int) -> list[str]:
    """Return `limit` different ids of a query of them, in any order; all where there are no more.

    Ids are random, so a random place of their index is one of a random decision.
    """
    ids: set[str] = set()
    repeated = 0
    ordered = query.order_by(DECISIONS.c.id)
    while len(ids) < limit and repeated <= len(ids) + MIN_REPEATED:
        near = list(connection.execute(ordered.where(DECISIONS.c.id > str(uuid.uuid4())).limit(NEIGHBOURS)).scalars())
        if len(near) < NEIGHBOURS:  # beyond the last comes the first
            near += connection.execute(ordered.limit(NEIGHBOURS - len(near))).scalars()
        if not near:
            return []
        decision_id = secrets.choice(near)
        repeated += decision_id in ids
        ids.add(decision_id)
    if len(ids) == limit:
        return list(ids)
    # So few that it takes no longer to read them all.
    return list(connection.execute(query.order_by(sa.func.random()).limit(limit)).scalars())
