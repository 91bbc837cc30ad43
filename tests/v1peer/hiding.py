"""Objects that our rules show to a user, and those of the original did not."""

from __future__ import annotations

from typing import Any

from tests.v1peer.exchange import Answer, Forward, Sent, plain
from tests.v1peer.lab import facts, facts_of
from tests.v1peer.lists import is_list, relisted
from tests.v1peer.peer import Peer
from tests.v1peer.rights import readable


async def own_rights(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Neither show, list nor change what the original did not show to this user."""
    place = sent.place
    if place is None or not sent.user:
        return await forward(sent)
    kind = place.kind

    def seen(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        known = facts_of(peer.store, kind, [item["id"] for item in items])
        return [item for item in items if item["id"] in known and readable(peer, known[item["id"]], sent.user)]

    if place.id:
        known = facts(peer.store, kind, place.id)
        hidden = known is not None and not readable(peer, known, sent.user)
        return plain(404) if hidden else await forward(sent)
    return await relisted(sent, forward, seen) if is_list(sent) else await forward(sent)
