"""What the original deleted beside what it was asked to."""

from __future__ import annotations

from collections.abc import Iterator

from gnode_orm.core.schema import SCHEMA
from gnode_orm.wire.kinds import wire_kind
from tests.v1peer.exchange import Answer, Forward, Place, Sent
from tests.v1peer.peer import Peer
from tests.v1peer.reading import has_no_section


async def links_cascade(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Delete what refers to a deleted object, also where the reference is optional."""
    place = sent.place
    if sent.method != "DELETE" or place is None or not place.id or place.attr:
        return await forward(sent)
    if (await forward(sent.asking("GET", sent.path))).status != 200:
        return await forward(sent)
    doomed = [(place.kind, place.id)]
    for kind, id_ in doomed:
        for other, ref in referents(kind):
            query = ((ref, id_), ("limit", "0"))
            listed = (await forward(sent.asking("GET", Place(other).path, query))).json
            found = [(other, item["id"]) for item in listed["selected"]]
            doomed += [item for item in found if item not in doomed]
    for kind, id_ in reversed(doomed[1:]):
        await forward(sent.asking("DELETE", Place(kind, id_).path))
    return await forward(sent)


def referents(kind: str) -> Iterator[tuple[str, str]]:
    """Kinds with a foreign key to a kind, and its name."""
    for other in SCHEMA:
        for ref in wire_kind(other).refs:
            if ref.target == kind and not (ref.name == "metadata" and has_no_section(other)):
                yield other, ref.name
