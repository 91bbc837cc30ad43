"""Forms of requests that the original stumbled over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gnode_orm.wire.kinds import ROOT_KINDS, wire_kind
from tests.v1peer.bodies import Written, rewritten, written
from tests.v1peer.bulk import parents
from tests.v1peer.exchange import Answer, Forward, Json, Sent, changed, plain, told
from tests.v1peer.lab import facts
from tests.v1peer.peer import Peer
from tests.v1peer.writing import failed

_LEVELS = (1, 2, 3)
_NO_ADDRESS = "The data were not a URI, not a dictionary-alike and do not have a 'pk' attribute"


def not_found(place: Json) -> Answer:
    """The answer to an address of nothing."""
    return told(400, {"error": f"Could not find the provided object via resource URI '{place}'."})


async def addresses_strict(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Take an id, a path with both slashes, a URL, or a dict with ``pk`` for a parent, and nothing else."""
    for item in written(sent):
        for kind, value in parents(item):
            if value == "" or (isinstance(value, str) and value[0] == "/" and not value.startswith("/api/")):
                return not_found(f"{wire_kind(kind).path}{value}/")
            if isinstance(value, str) and "/" in value and not value.endswith("/"):
                return failed(sent)
            if isinstance(value, dict) and "pk" not in value:
                return failed(sent)
            if value is not None and not isinstance(value, str | dict):
                return told(400, {"error": f"{_NO_ADDRESS}: {value!r}."})
    return await forward(sent)


async def members_looked_up(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Fail on members that are no list of known ids, after the object was stored; known ones are not moved."""
    for item in written(sent):
        for key, relation in wire_kind(item.kind).sets.items():
            members = item.body.get(key)
            if members is None or key == "recordingchannel_set":
                continue
            if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
                if not sent.is_bulk:
                    await forward(sent)
                return failed(sent)
            for member in members:
                id_ = member.rstrip("/").rpartition("/")[2]
                if facts(peer.store, relation.kind, id_) is None:
                    return not_found(f"{wire_kind(relation.kind).path}{id_}/")
    return await forward(sent)


async def access_lists_strict(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Take users by their path alone; signals have no access list by that name."""
    place = sent.place
    if place is None or place.attr != "acl":
        return await forward(sent)
    if place.kind not in ROOT_KINDS and wire_kind(place.kind).arrays and sent.user:
        return plain(400, "Attribute acl does not exist")
    try:
        entries: Any = Answer(200, {}, sent.body).json if sent.method == "PUT" else []
        if any(not entry["user"].startswith("/api/v1/user/user/") for entry in entries):
            return failed(sent)
    except (TypeError, KeyError):
        return failed(sent)
    return await forward(sent)


async def wrong_methods_are_401(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Refuse to delete lists and to make users as if nobody had logged in; know no HEAD."""
    place = sent.place
    if sent.method == "HEAD":
        return plain(405)
    deletes_list = sent.method == "DELETE" and place is not None and not place.id
    makes_user = sent.method == "POST" and sent.path == "/api/v1/user/user/"
    return plain(401) if deletes_list or makes_user else await forward(sent)


async def redirects_lose_the_method(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Redirect a change to the address with a last slash so that clients repeat it as GET."""
    answer = await forward(sent)
    if answer.status != 308:
        return answer
    # What checks forms refuses this one before it is redirected.
    return plain(403) if sent.path.startswith("/account/") else replace(answer, status=301)


async def sections_stay(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Fail where a section below another one is to move to another document."""
    place = sent.place
    if sent.method != "PUT" or place is None or place.kind != "section" or not place.id:
        return await forward(sent)
    now = (await forward(sent.asking("GET", sent.path))).json or {}
    for item in written(sent):
        wanted = item.body.get("document")
        moves = isinstance(wanted, str) and not item.body.get("section")
        if moves and now.get("section") and wanted.rstrip("/").rpartition("/")[2] not in now["document"]:
            return failed(sent)
    return await forward(sent)


async def any_level_taken(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Take every number for a level, and show it again; it opens nothing."""
    kept: dict[tuple[str, str], int] = peer.memory.setdefault("any-level-taken", {})
    given: list[int] = []

    def tame(item: Written) -> None:
        level = item.body.get("safety_level")
        if isinstance(level, int):
            given.append(level)
            item.body["safety_level"] = level if level in _LEVELS else 3

    def change(kind: str, item: dict[str, Any]) -> None:
        if given:
            kept[kind, item["id"]] = given[0]
        level = kept.get((kind, item["id"]), 3)
        item["safety_level"] = item["safety_level"] if level in _LEVELS else level

    return changed(await forward(rewritten(sent, tame)), change)


async def own_levels(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Keep a level for every object, which says nothing about who may read it; see also what is listed."""
    known = levels(peer)
    given = [item.body.get("safety_level") for item in written(sent)] if not sent.is_bulk else []
    answer = await forward(sent)

    def change(kind: str, item: dict[str, Any]) -> None:
        if kind in ROOT_KINDS:
            return
        if given and isinstance(given[0], int):
            known[kind, item["id"]] = given[0]
        item["safety_level"] = known.get((kind, item["id"]), 3)

    return changed(answer, change)


def levels(peer: Peer) -> dict[tuple[str, str], int]:
    """The levels of objects below blocks and documents."""
    kept: dict[tuple[str, str], int] = peer.memory.setdefault("own-levels", {})
    return kept
