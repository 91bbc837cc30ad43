"""Whom the original let read and write, and what it said to the others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from gnode_orm.wire.kinds import ROOT_KINDS, wire_kind
from tests.v1peer.bodies import written
from tests.v1peer.bulk import parents
from tests.v1peer.exchange import Answer, Forward, Sent, plain
from tests.v1peer.lab import Facts, facts
from tests.v1peer.peer import Peer
from tests.v1peer.writing import failed

_PUBLIC, _FRIENDLY = 1, 2


async def unreadable_is_401(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Tell who may not read an object that it is there: 401 without a word."""
    answer = await forward(sent)
    if sent.is_bulk or not sent.user or answer.status not in (400, 404):
        return answer
    place = sent.place
    if answer.status == 404 and place is not None and place.id:
        return plain(401) if _is_hidden(peer, sent, place.kind, place.id) else answer
    if answer.status == 400 and any(_is_hidden(peer, sent, *item) for item in _named(sent)):
        return plain(401)
    return answer


def _named(sent: Sent) -> Iterator[tuple[str, str]]:
    """Kind and id of every parent that a request names."""
    for item in written(sent):
        for kind, value in parents(item):
            if isinstance(value, str) and value:
                yield kind, value.rstrip("/").rpartition("/")[2]


def _is_hidden(peer: Peer, sent: Sent, kind: str, id_: str) -> bool:
    known = facts(peer.store, kind, id_)
    return known is not None and not readable(peer, known, sent.user)


async def unwritable_is_500(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Fail where an object may be read but not changed; files and access lists are 401."""
    answer = await forward(sent)
    if answer.status != 403:
        return answer
    place = sent.place
    if place is None or not place.attr:
        return failed(sent)
    words = "No access to the ACL of this object" if place.attr == "acl" else "No access to the update this object"
    return plain(401, words)


async def unknown_file_is_410(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Say that the files and the access list of an object that is not there are gone."""
    answer = await forward(sent)
    place = sent.place
    if answer.status != 404 or place is None or not place.attr or not wire_kind(place.kind):
        return answer
    has_attr = place.attr in {field.name for field in wire_kind(place.kind).arrays} or (
        place.attr == "acl" and place.kind in ROOT_KINDS
    )
    return plain(410) if has_attr and facts(peer.store, place.kind, place.id) is None else answer


def readable(peer: Peer, known: Facts, user: str) -> bool:
    """Tell whether the original would let a user read an object, as far as its defects are switched on."""
    return (
        known.owner == user
        or known.level <= _PUBLIC
        or user in dict(known.access)
        or (known.root_owner == user and "owner-locked-out" not in peer.has)
        or (known.level == _FRIENDLY and "friendly-is-private" not in peer.has)
    )


async def makers_write(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Let readers add to a block or document, and change what they made."""
    roots = _roots_to_open(peer, sent)
    if not roots:
        return await forward(sent)
    # One at a time, so that none withdraws the right that another one needs.
    await asyncio.to_thread(peer.opening.acquire)
    try:
        with _elevated(peer, sent, roots):
            return await forward(sent)
    finally:
        peer.opening.release()


def _roots_to_open(peer: Peer, sent: Sent) -> list[Facts]:
    place = sent.place
    if not sent.user or sent.method in ("GET", "HEAD"):
        return []
    found = [] if place is None or not place.id or place.attr == "acl" else [facts(peer.store, place.kind, place.id)]
    found = [known for known in found if known is not None and known.owner == sent.user]
    if sent.is_bulk or (sent.method == "POST" and place is not None and not place.id):
        new = (facts(peer.store, kind, id_) for kind, id_ in _named(sent))
        found += [known for known in new if known is not None and readable(peer, known, sent.user)]
    return [known for known in found if known is not None and known.root is not None and known.root_owner != sent.user]


@contextmanager
def _elevated(peer: Peer, sent: Sent, roots: list[Facts]) -> Iterator[None]:
    """Give the right to write for the time of one request."""
    before = {known.root: known for known in roots if dict(known.access).get(sent.user) != "write"}
    for root, known in before.items():
        assert root is not None
        peer.store.set_access(*root, {**dict(known.access), sent.user: "write"}, known.root_owner)
    try:
        yield
    finally:
        for root, known in before.items():
            assert root is not None
            if facts_of_root(peer, root):
                peer.store.set_access(*root, dict(known.access), known.root_owner)


def facts_of_root(peer: Peer, root: tuple[str, int]) -> bool:
    """Tell whether a block or document is still there."""
    with peer.store._database.read() as transaction:
        return bool(transaction.query("SELECT 1 FROM root WHERE kind = :kind AND id = :id", kind=root[0], id=root[1]))
