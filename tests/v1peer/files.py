"""How the original kept the files of arrays."""

from __future__ import annotations

import io
from dataclasses import replace

import h5py

from gnode_orm.wire.kinds import wire_kind
from tests.v1peer.bodies import uploaded, with_file
from tests.v1peer.deltas import arraydata
from tests.v1peer.exchange import Answer, Forward, Place, Sent
from tests.v1peer.peer import Peer


async def any_file_taken(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Take every file unseen, and give back the very bytes."""
    place = sent.place
    kept: dict[Place, bytes] = peer.memory.setdefault("any-file-taken", {})
    if place is None or not place.attr or place.attr not in {field.name for field in wire_kind(place.kind).arrays}:
        return await forward(sent)
    files = uploaded(sent)
    if sent.method == "GET" and place in kept:
        answer = await forward(sent)
        return replace(answer, body=kept[place]) if answer.status == 200 else answer
    if sent.method != "POST" or not files:
        return await forward(sent)
    answer = await forward(sent)
    if answer.status == 422:
        answer = await forward(_with_any_array(sent, place))
    if answer.status == 202:
        kept[place] = files[0][2]
    return answer


def _with_any_array(sent: Sent, place: Place) -> Sent:
    """The same upload with something that our server takes, so that the object has a new version."""
    return with_file(sent, "raw_file", "raw_file", arraydata([""] if place.attr == "labels" else [0.0]))


async def data_named_by_id(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Name the dataset of a file that came in a delta by the id of its object."""
    place = sent.place
    answer = await forward(sent)
    if sent.method != "GET" or place is None or not place.attr or answer.status != 200:
        return answer
    if answer.headers.get("content-type") != "application/x-hdf":
        return answer
    file = io.BytesIO(answer.body)
    with h5py.File(file, "r+") as root:
        if "arraydata" in root:
            root.move("arraydata", place.id)
    return replace(answer, body=file.getvalue())
