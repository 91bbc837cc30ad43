"""The same three tables in DataJoint, on PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import make_url

_SCHEMA = "gnode_orm_bench"


@contextmanager
def opened(target: str) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Give the connection and the tables of blocks, segments and events in an empty database."""
    import datajoint

    logging.getLogger("datajoint").setLevel(logging.ERROR)
    url = make_url(target)
    settings = datajoint.config.database
    settings.backend, settings.host, settings.port = "postgresql", url.host, url.port or 5432
    settings.user, settings.password, settings.name = url.username, url.password or "none", url.database
    settings.use_tls = False
    datajoint.config.safemode = False
    connection = datajoint.conn(reset=True)
    try:
        yield connection, *_tables(datajoint, datajoint.Schema(_SCHEMA, connection=connection))
    finally:
        connection.close()


def _tables(datajoint: Any, schema: Any) -> tuple[Any, Any, Any]:
    class Block(datajoint.Manual):  # type: ignore[misc]
        definition = "block_id : int64\n---\nname : varchar(255)"

    schema(Block, context={})

    class Segment(datajoint.Manual):  # type: ignore[misc]
        definition = "segment_id : int64\n---\nname : varchar(255)\nindex : int64\n-> Block"

    schema(Segment, context={"Block": Block})

    class Event(datajoint.Manual):  # type: ignore[misc]
        definition = "event_id : int64\n---\nlabel : varchar(255)\ntime : float64\ntime_unit : varchar(32)\n-> Segment"

    schema(Event, context={"Segment": Segment})
    return Block, Segment, Event
