"""Segments that move to another block, and what the original left behind."""

from __future__ import annotations

from typing import Any

from tests.v1peer.bodies import written
from tests.v1peer.exchange import Answer, Forward, Place, Sent
from tests.v1peer.peer import Peer

Hidden = dict[tuple[str, str], str]


async def moved_segments_keep_their_block(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Delete what stands below a moved segment with the block that it stood in before."""
    hidden: Hidden = peer.memory.setdefault("moved-segments-keep-their-block", {})
    place = sent.place
    if place is None or not place.id or place.attr or sent.method not in ("PUT", "DELETE"):
        return await forward(sent)
    if sent.method == "DELETE":
        answer = await forward(sent)
        if answer.status == 204 and place.kind == "block":
            await _delete_left_behind(hidden, sent, forward, place.id)
        return answer
    before = (await forward(sent.asking("GET", sent.path))).json
    answer = await forward(sent)
    hidden.pop((place.kind, place.id), None)
    moves = any(item.body.get("block") for item in written(sent))
    if place.kind == "segment" and moves and answer.status == 200 and answer.json["block"] != before["block"]:
        _remember(hidden, before)
    return answer


async def _delete_left_behind(hidden: Hidden, sent: Sent, forward: Forward, block: str) -> None:
    for (kind, id_), old in list(hidden.items()):
        if old == block:
            await forward(sent.asking("DELETE", Place(kind, id_).path))
            del hidden[kind, id_]


def _remember(hidden: Hidden, segment: dict[str, Any]) -> None:
    old = (segment["block"] or "").rstrip("/").rpartition("/")[2]
    for key, members in segment.items():
        for member in members if key.endswith("_set") else ():
            kind, id_ = member.rstrip("/").split("/")[-2:]
            hidden.setdefault((kind, id_), old)
