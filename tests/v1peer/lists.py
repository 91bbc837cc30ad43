"""What the lists of the original left out, and how they were asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gnode_orm.server.filters import LOOKUPS
from gnode_orm.server.paging import meta, page_of
from gnode_orm.server.problems import Refusal
from gnode_orm.wire.kinds import wire_kind
from tests.v1peer.exchange import Answer, Forward, Place, Sent, told
from tests.v1peer.forms import levels
from tests.v1peer.lab import Facts, facts_of
from tests.v1peer.peer import Peer
from tests.v1peer.writing import failed

_NOT_NULL = ("false", "False", "")
_ORDER = ("order_by", "sort_by")
_PAGING = ("limit", "offset")
_WHOLE, _PUBLIC = 1000, 1
_COMPARE: dict[str, Callable[[float, list[float]], bool]] = {
    "exact": lambda number, given: number == given[-1],
    "gt": lambda number, given: number > given[-1],
    "gte": lambda number, given: number >= given[-1],
    "lt": lambda number, given: number < given[-1],
    "lte": lambda number, given: number <= given[-1],
    "in": lambda number, given: number in given,
    "range": lambda number, given: given[0] <= number <= given[-1],
}


def is_list(sent: Sent) -> bool:
    """Tell whether a list is asked for."""
    return sent.method == "GET" and sent.place is not None and not sent.place.id


async def isnull_zero_means_null(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Take every text but ``false`` and nothing at all for true."""

    def turned(key: str, value: str) -> str:
        return value if not key.endswith("__isnull") else "false" if value in _NOT_NULL else "true"

    if not is_list(sent):
        return await forward(sent)
    return await forward(replace(sent, query=tuple((key, turned(key, value)) for key, value in sent.query)))


async def no_ordering(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Refuse to order a list."""
    place = sent.place
    keys = [value for key, value in sent.query if key in _ORDER and value]
    if place is None or not is_list(sent) or not sent.user or not keys:
        return await forward(sent)
    key = keys[-1].removeprefix("-")
    names = {"id", "guid", "owner", *(field.name for field in wire_kind(place.kind).spec.fields)}
    text = (
        f"The '{key}' field does not allow ordering." if key in names else f"No matching '{key}' field for ordering on."
    )
    return told(400, {"error": text})


async def owner_by_number(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Find owners by their number, or by fields of theirs, and fail on a name."""
    for key, value in sent.query if is_list(sent) and sent.user else ():
        _, *rest = key.split("__")
        if key.split("__")[0] != "owner" or (rest and rest[0] not in LOOKUPS):
            continue
        if rest and rest[0] not in ("exact", "in", "isnull"):
            return failed(sent)
        if not rest and not value.isdigit():
            return told(400, {"error": "Invalid resource lookup data provided (mismatched type)."})
    return await forward(sent)


async def file_filters_useless(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Find data in every object and its size in none."""
    place = sent.place
    if place is None or not is_list(sent):
        return await forward(sent)
    files = {f"{field.name}__isnull": False for field in wire_kind(place.kind).arrays}
    answers = {**files, "data_size__isnull": True} if files else {}
    query = []
    for key, value in sent.query:
        if key not in answers:
            query.append((key, value))
        elif (value not in _NOT_NULL) != answers[key]:
            query.append(("id__in", ""))
    return await forward(replace(sent, query=tuple(query)))


async def whole_list(sent: Sent, forward: Forward) -> list[dict[str, Any]] | Answer:
    """Every object that a list finds, or the answer that refuses it."""
    items: list[dict[str, Any]] = []
    query = tuple(pair for pair in sent.query if pair[0] not in _PAGING)
    while True:
        answer = await forward(replace(sent, query=(*query, ("limit", str(_WHOLE)), ("offset", str(len(items))))))
        if answer.status != 200:
            return answer
        page = answer.json
        items += page["selected"]
        if page["meta"]["next"] is None:
            return items


async def relisted(
    sent: Sent, forward: Forward, work: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> Answer:
    """Answer a list with what ``work`` makes of everything that is in it."""
    pairs = list(sent.query)
    try:
        page = page_of(pairs)
    except Refusal:
        return await forward(sent)
    items = await whole_list(sent, forward)
    if isinstance(items, Answer):
        return items
    kept = work(items)
    found = kept[page.offset : page.offset + page.limit]
    return told(200, {"meta": meta(sent.path, pairs, page, len(kept)), "selected": found}).with_header(
        "cache-control", "no-cache"
    )


async def heap_order(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """List objects in the order of their last change, so that one moves to the end while a list is read."""
    place = sent.place
    if place is None or not is_list(sent) or any(key in _ORDER for key, _ in sent.query):
        return await forward(sent)

    def ordered(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        known = facts_of(peer.store, place.kind, [item["id"] for item in items])
        # Something may have been deleted since it was listed.
        return sorted((item for item in items if item["id"] in known), key=lambda item: known[item["id"]].version)

    return await relisted(sent, forward, ordered)


async def shared_not_listed(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """List what the user made and what is public; of what is shared, only what stands below."""
    place = sent.place
    if place is None or not is_list(sent):
        return await forward(sent)

    def listed(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        known = facts_of(peer.store, place.kind, [item["id"] for item in items])
        public = {id_ for (kind, id_), level in levels(peer).items() if kind == place.kind and level == _PUBLIC}
        left = [item for item in items if item["id"] in known]
        return [item for item in left if item["id"] in public or _is_listed(known[item["id"]], place, sent.user)]

    return await relisted(sent, forward, listed)


def _is_listed(known: Facts, place: Place, user: str) -> bool:
    if known.owner == user:
        return True
    if wire_kind(place.kind).is_root:
        return known.level == _PUBLIC
    return user in dict(known.access)


async def numbers_compared_bare(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Compare numbers without their units."""
    place = sent.place
    if place is None or not is_list(sent):
        return await forward(sent)
    names = {field.name for field in wire_kind(place.kind).quantities}
    own = {pair for pair in sent.query if pair[0].split("__")[0] in names and pair[0].split("__")[-1] != "isnull"}
    if not own:
        return await forward(sent)
    try:
        tests = [_test(key, value) for key, value in own]
    except (KeyError, ValueError):
        return await forward(sent)
    kept = replace(sent, query=tuple(pair for pair in sent.query if pair not in own))
    return await relisted(kept, forward, lambda items: [item for item in items if all(test(item) for test in tests)])


def _test(key: str, value: str) -> Callable[[dict[str, Any]], bool]:
    name, *rest = key.split("__")
    compare = _COMPARE[rest[0] if rest else "exact"]
    given = [float(part) for part in value.split(",")]
    return lambda item: item[name] is not None and compare(item[name], given)


assert set(_COMPARE) <= set(LOOKUPS)
