"""What the original showed wrongly of objects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gnode_orm.core.schema import SCHEMA
from gnode_orm.wire.kinds import shown_unit, wire_kind
from gnode_orm.wire.parsing import read_time
from tests.v1peer.bodies import Written, rewritten, written
from tests.v1peer.exchange import Answer, Forward, Place, Sent, changed, shown
from tests.v1peer.lab import children
from tests.v1peer.peer import Peer

FOREIGN_HOST = "http://portal.example.org"
_OWN_PATHS = ("resource_uri", "location")


async def units_lost(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Show the default unit of every number and array, whatever is stored; what is sent is stored."""

    def change(kind: str, item: dict[str, Any]) -> None:
        wire = wire_kind(kind)
        for field in (*wire.quantities, *wire.arrays):
            if field.name != "labels":
                item[f"{field.name}__unit"] = shown_unit(kind, field)

    return changed(await forward(sent), change)


async def negative_zero_lost(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Read minus zero as zero, as the driver of the database did."""

    def change(kind: str, item: dict[str, Any]) -> None:
        item.update({key: 0.0 for key, value in item.items() if isinstance(value, float) and value == 0})

    answer = await forward(sent)
    return changed(answer, change) if sent.method == "GET" else answer


async def sets_list_unreadable(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Show every member of a collection, also those that the user may not read."""
    base = f"http://{sent.headers.get('host', '')}"

    def change(kind: str, item: dict[str, Any]) -> None:
        for key, relation in wire_kind(kind).sets.items():
            if relation.fk in SCHEMA[relation.kind].by_name:
                found = children(peer.store, relation.kind, relation.fk, item["id"])
                item[key] = [f"{base}{Place(relation.kind, id_).path}" for id_ in found]

    return changed(await forward(sent), change)


async def channel_groups_lost(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Show no groups of a channel, and no channels of a group."""

    def change(kind: str, item: dict[str, Any]) -> None:
        if kind == "recordingchannel":
            item["recordingchannelgroup"] = []
        item.pop("recordingchannel_set", None)

    answer = changed(await forward(sent), change)
    return _without_field(answer, "recordingchannel_set") if described_kind(sent) else answer


async def metadata_lost(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Know no section of anything but blocks and segments."""

    def leave_out(item: Written) -> None:
        if has_no_section(item.kind):
            item.body.pop("metadata", None)

    def hide(kind: str, item: dict[str, Any]) -> None:
        if has_no_section(kind):
            item.pop("metadata", None)

    place = sent.place
    if place is not None and has_no_section(place.kind):
        kept = tuple(pair for pair in sent.query if pair[0].split("__")[0] != "metadata")
        sent = replace(sent, query=kept)
    answer = changed(await forward(rewritten(sent, leave_out)), hide)
    return _without_field(answer, "metadata") if has_no_section(described_kind(sent)) else answer


def described_kind(sent: Sent) -> str:
    """The kind whose schema is asked for; empty for every other request."""
    parts = sent.path.split("/")
    return parts[4] if len(parts) == 7 and parts[5] == "schema" and parts[4] in SCHEMA else ""


def _without_field(answer: Answer, name: str) -> Answer:
    described = answer.json
    if answer.status != 200:
        return answer
    described["fields"].pop(name, None)
    return answer.having(described)


def has_no_section(kind: str) -> bool:
    """Tell whether the original had no section for a kind."""
    return kind != "" and SCHEMA[kind].namespace == "electrophysiology" and kind not in ("block", "segment")


async def dates_as_times(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Show the date of a document with the time of day that was sent, until it is read again."""
    given = [item.body.get("date") for item in written(sent) if item.kind == "document"]

    def change(kind: str, item: dict[str, Any]) -> None:
        if kind == "document" and item.get("date"):
            item["date"] = read_time(given[0]).isoformat()

    answer = await forward(sent)
    return changed(answer, change) if given and given[0] else answer


async def sizes_unknown(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Never tell the size of the data of an object, unless a client said it."""
    kept: dict[str, int] = peer.memory.setdefault("sizes-unknown", {})
    given = [item.body["data_size"] for item in written(sent) if isinstance(item.body.get("data_size"), int)]

    def change(kind: str, item: dict[str, Any]) -> None:
        if "data_size" in item:
            if given:
                kept[item["location"]] = given[0]
            item["data_size"] = kept.get(item["location"])

    return changed(await forward(sent), change)


async def unknown_keys_echoed(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Show keys that are not stored in the answer to the request that sent them."""
    answer = await forward(sent)
    place = sent.place
    if place is None or place.attr or sent.method not in ("POST", "PUT", "PATCH") or answer.status >= 300:
        return answer
    value = answer.json
    for given, (_, item) in zip(written(sent), shown(value), strict=False):
        item.update({key: sent for key, sent in given.body.items() if key not in item})
        if sent.method == "PUT" and place.id:
            item["pk"] = place.id  # of the address, whatever object the answer shows
    return answer.having(value)


async def text_as_address(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Put the host before every text that looks like a path."""
    base = f"http://{sent.headers.get('host', '')}"

    def change(kind: str, item: dict[str, Any]) -> None:
        for key, value in item.items():
            if key not in _OWN_PATHS and isinstance(value, str) and value.startswith("/api/"):
                item[key] = base + value

    return changed(await forward(sent), change)


async def foreign_host(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Give addresses of another host, as behind a proxy that rewrites the Host header."""
    answer = await forward(sent)
    here, there = f"http://{sent.headers.get('host', '')}/api/", f"{FOREIGN_HOST}/api/"
    if "location" in answer.headers and answer.status == 201:
        answer = answer.with_header("location", answer.headers["location"].replace(here, there))
    return replace(answer, body=answer.body.replace(here.encode(), there.encode()))
