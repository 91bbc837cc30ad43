"""How the original took an HDF5 delta."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gnode_orm.errors import CycleError
from gnode_orm.topology import topological_order
from gnode_orm.wire.kinds import wire_kind
from tests.v1peer.bodies import Written, uploaded, written
from tests.v1peer.exchange import Answer, Forward, Sent
from tests.v1peer.peer import Peer
from tests.v1peer.writing import failed


async def bulk_answers_one_as_text(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Answer a delta with its first object alone, and call that HTML."""
    answer = await forward(sent)
    if not sent.is_bulk or answer.status != 200:
        return answer
    return replace(answer, headers={"content-type": "text/html; charset=utf-8"})


async def bulk_fails_without_reason(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Fail, whatever is wrong with a delta; nothing of it is stored."""
    answer = await forward(sent)
    readable = any(field == "raw_file" and data[:4] == b"\x89HDF" for field, _, data in uploaded(sent))
    return failed(sent) if sent.is_bulk and readable and sent.user and answer.status >= 400 else answer


async def bulk_hangs_on_cycles(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Never answer a delta whose objects are each other's parents."""
    if sent.is_bulk and _has_cycle(written(sent)):
        peer.hanging.set()
        await asyncio.to_thread(peer.stopping.wait)
        return failed(sent)
    return await forward(sent)


def parents(item: Written) -> list[tuple[str, object]]:
    """Kind and value of every reference of an object."""
    found: list[tuple[str, object]] = [(ref.target or "", item.body.get(ref.name)) for ref in wire_kind(item.kind).refs]
    groups = item.body.get("recordingchannelgroup") if item.kind == "recordingchannel" else None
    found += [("recordingchannelgroup", group) for group in groups if isinstance(groups, list)] if groups else []
    return found


def _has_cycle(items: list[Written]) -> bool:
    known = {(item.kind, item.id): item for item in items}

    def above(item: Written) -> list[Written]:
        return [known[key] for key in parents(item) if key in known]  # type: ignore[index]

    try:
        topological_order(items, above)
    except CycleError:
        return True
    return False
