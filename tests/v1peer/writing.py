"""What the original did wrongly when objects were made and changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from http.cookies import SimpleCookie

from gnode_orm.core.schema import SCHEMA
from gnode_orm.wire.kinds import wire_kind
from tests.v1peer.bodies import Written, rewritten, written
from tests.v1peer.exchange import Answer, Forward, Place, Sent, plain, told
from tests.v1peer.lab import facts
from tests.v1peer.peer import Peer
from tests.v1peer.reading import described_kind

CANNED = {"error_message": "Sorry, this request could not be processed. Please try again later."}

# What a row of the original could not be without.
PARENTS = {
    "section": ("document", "section"), "property": ("section",), "value": ("property",), "segment": ("block",),
    "recordingchannelgroup": ("block",), "recordingchannel": ("recordingchannelgroup",),
    "unit": ("recordingchannelgroup",),
    **dict.fromkeys(("event", "eventarray", "epoch", "epocharray", "spike", "spiketrain"), ("segment",)),
    **dict.fromkeys(("analogsignal", "analogsignalarray", "irregularlysampledsignal"), ("segment",)),
}  # fmt: skip
_OPTIONAL_NUMBERS = {"spike": ("sampling_rate", "left_sweep")}
_TEXT_LIMITS = {"description": 1024, "type": 50}
_TEXT_LIMIT, _UNIT_LIMIT = 100, 10


def failed(sent: Sent) -> Answer:
    """The answer to everything that the original did not expect."""
    return plain(500, "<h1>Server Error (500)</h1>") if sent.is_bulk else told(500, CANNED)


async def null_foreign_keys_ignored(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Keep a parent where null is sent for it."""

    def leave_out(item: Written) -> None:
        for ref in wire_kind(item.kind).refs:
            if item.body.get(ref.name, ...) is None:
                del item.body[ref.name]

    return await forward(rewritten(sent, leave_out))


async def parents_required(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Take no new object without a parent: 404 with a canned text, or 400 for a section."""
    for item in written(sent):
        needed = PARENTS.get(item.kind, ())
        if item.kind == "recordingchannel" and isinstance(item.body.get("recordingchannelgroup"), str):
            return failed(sent)
        if not item.is_new or not needed or any(item.body.get(name) for name in needed):
            continue
        if item.kind == "section" and not sent.is_bulk:
            return told(400, {"error": ["Either document or section must present"]})
        if item.kind == "recordingchannel" or sent.is_bulk or peer.debug:
            return failed(sent)
        return told(404, CANNED)
    kind = described_kind(sent)
    needed = ("document",) if kind == "section" else PARENTS.get(kind, ()) if kind != "recordingchannel" else ()
    return needing(await forward(sent), needed)


async def values_required(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Fail where a new object lacks one of its numbers; a section without a name says so."""
    for item in written(sent):
        if item.kind == "section" and item.is_new and not item.body.get("name"):
            return told(400, {"error": ["This field cannot be blank."]})
        for field in wire_kind(item.kind).quantities:
            missing = item.body.get(field.name) is None if item.is_new else item.body.get(field.name, 0) is None
            if missing and field.name not in _OPTIONAL_NUMBERS.get(item.kind, ()):
                return failed(sent)
    kind = described_kind(sent)
    if not kind:
        return await forward(sent)
    numbers = [field.name for field in wire_kind(kind).quantities if field.name not in _OPTIONAL_NUMBERS.get(kind, ())]
    return needing(await forward(sent), [*numbers, *wire_kind(kind).never_null])


def needing(answer: Answer, names: Collection[str]) -> Answer:
    """Let the schema of a kind say that some fields must have a value."""
    if not names or answer.status != 200:
        return answer
    described = answer.json
    for name in names:
        if name in described["fields"]:
            described["fields"][name]["nullable"] = False
    return answer.having(described)


async def text_limited(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Fail on text that is longer than its column; a section says so."""
    for item in written(sent):
        texts = [field.name for field in wire_kind(item.kind).plain if (item.kind, field.name) != ("value", "data")]
        for name in texts:
            limit = _TEXT_LIMITS.get(name, _TEXT_LIMIT)
            if isinstance(item.body.get(name), str) and len(item.body[name]) > limit:
                if item.kind == "section" and not sent.is_bulk:
                    text = f"Ensure this value has at most {limit} characters (it has {len(item.body[name])})."
                    return told(400, {"error": [text]})
                return failed(sent)
        if any(len(str(value)) > _UNIT_LIMIT for key, value in item.body.items() if key.endswith("__unit")):
            return failed(sent)
    return await forward(sent)


async def put_creates(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Make a stranger where a change names an object that is not there."""
    place = sent.place
    if sent.method != "PUT" or place is None or not place.id or place.attr or not sent.user:
        return await forward(sent)
    if facts(peer.store, place.kind, place.id) is not None:
        return await forward(sent)
    return await forward(replace(sent, method="POST", path=Place(place.kind).path))


async def local_id_obeyed(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Let a ``local_id`` in a body choose the object that is overwritten."""
    place = sent.place
    named = [item.body.get("local_id") for item in written(sent)] if place is not None and not place.attr else []
    if place is None or not named or not named[0]:
        return await forward(sent)
    if sent.method == "POST":
        return failed(sent)
    if sent.method != "PUT" or named[0] == place.id or not place.id:
        return await forward(sent)
    mine = await forward(sent.asking("GET", sent.path))
    (given,) = written(sent)
    return await forward(sent.telling("PUT", Place(place.kind, str(named[0])).path, {**mine.json, **given.body}))


async def no_entity_tags(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Neither show nor heed entity tags: nothing is stale, nothing unchanged."""
    answer = await forward(sent.without("if-match", "if-none-match", "if-modified-since", "if-unmodified-since"))
    return answer.without("etag", "last-modified")


async def forgery_token(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Ask for the token in a cookie where PATCH is used."""
    patch = sent.method == "PATCH" or sent.headers.get("x-http-method-override") == "PATCH"
    if patch:
        cookie = SimpleCookie(sent.headers.get("cookie", "")).get("csrftoken")
        if cookie is None or sent.headers.get("x-csrftoken") != cookie.value:
            return plain(401)
    answer = await forward(replace(sent, method="PATCH") if patch else sent)
    if sent.path == "/account/authenticate/" and answer.status == 202:
        return replace(answer, cookies=(*answer.cookies, f"csrftoken={'k' * 32}; Path=/; Max-Age=31449600"))
    return answer


assert PARENTS.keys() <= SCHEMA.keys()
