"""Lists of a server of API v1: addresses of queries, and every page of an answer.

The server has no order, so that a page may repeat what another had, and may leave out what moved: objects are told
apart by their ids, and a list that came short is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from gnode_orm.errors import QueryError, StoreUnavailable
from gnode_orm.ids import encode_id
from gnode_orm.stores.rest.v1.connection import Refused, V1Connection
from gnode_orm.stores.rest.v1.records import Json
from gnode_orm.wire.kinds import wire_kind

Params = tuple[tuple[str, str], ...]
PAGE = 1000
IDS_AT_ONCE = 150
_ATTEMPTS = 3


def address(kind: str, params: Iterable[tuple[str, str]]) -> str:
    """Give the address of a list; commas stay as they are, which keeps lists of ids short."""
    query = "&".join(f"{key}={quote(value, safe=',:')}" for key, value in params)
    return f"{wire_kind(kind).path}?{query}" if query else wire_kind(kind).path


def batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cut a list of ids so that an address does not become too long."""
    for start in range(0, len(values), IDS_AT_ONCE):
        yield values[start : start + IDS_AT_ONCE]


def page(connection: V1Connection, kind: str, params: Params, limit: int, offset: int) -> tuple[list[Json], int, bool]:
    """Give one page: its objects, how many there are in all, and whether more follow.

    Raises:
        QueryError: the server refuses the query.
        StoreUnavailable: it answers with something else.
    """
    path = address(kind, (*params, ("limit", str(limit)), ("offset", str(offset))))
    try:
        answer = connection.get(path)
    except Refused as refusal:
        if refusal.status == 400:
            raise QueryError(f"{connection.address} refuses the query for {kind}: {refusal.text}") from None
        raise refusal.error(f"{connection.address}{path}") from None
    try:
        found, meta = answer["selected"], answer["meta"]
        return [dict(item) for item in found], int(meta["total_count"]), meta["next"] is not None
    except (KeyError, TypeError, ValueError):
        raise StoreUnavailable(f"{connection.address}{path} did not answer with a list of {kind}") from None


def everything(connection: V1Connection, kind: str, params: Params) -> list[Json]:
    """Give every object of a query, once."""
    found: dict[str, Json] = {}
    for _ in range(_ATTEMPTS):
        offset, total, more = 0, 0, True
        while more:
            items, total, more = page(connection, kind, params, PAGE, offset)
            offset += len(items)
            found.update((str(item["resource_uri"]), item) for item in items)
            more = more and bool(items)
        if len(found) >= total:
            break
    return list(found.values())


def below(connection: V1Connection, kind: str, fk: str, ids: Sequence[int], params: Params = ()) -> list[Json]:
    """Give every object whose foreign key names one of some others."""
    found: list[Json] = []
    for batch in batches(ids):
        found += everything(connection, kind, ((f"{fk}__in", ",".join(map(encode_id, batch))), *params))
    return found


def total(connection: V1Connection, kind: str, params: Params) -> int:
    """Count the objects of a query."""
    return page(connection, kind, params, 1, 0)[1]
