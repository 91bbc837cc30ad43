"""How the original said that something failed."""

from __future__ import annotations

from tests.v1peer.exchange import Answer, Forward, Json, Sent, plain, told
from tests.v1peer.peer import Peer
from tests.v1peer.writing import failed

_EMPTY = (404, 410, 501)
_STUMBLED = (403, 409, 412, 415, 422, 500)
_METHODS = "GET,POST,PUT,DELETE,PATCH"


async def bare_failures(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Answer what is refused without a reason: empty, a canned text, or HTML."""
    answer = await forward(sent)
    if answer.status < 400 or not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return answer
    words = answer.json
    if answer.status == 400:
        return _bad_request(sent, words)
    if answer.status == 401:
        return plain(401, _unauthorised(sent))
    if answer.status == 405:
        return _other_method(sent)
    if answer.status in _EMPTY:
        return plain(answer.status)
    # What this server refuses with a reason, the original stumbled over.
    return failed(sent) if answer.status in _STUMBLED else plain(answer.status, words["detail"])


def _bad_request(sent: Sent, words: Json) -> Answer:
    if _is_no_text(sent.body) or _is_beyond(sent):
        return failed(sent)
    if sent.path == "/api/v1/in_bulk/" or (sent.place is not None and sent.place.attr):
        return plain(400, words["detail"])
    return told(400, {"error": "" if "is not JSON" in words["detail"] else words["error"]})


def _other_method(sent: Sent) -> Answer:
    attr = sent.place.attr if sent.place is not None else ""
    if attr:
        what = "GET or PUT to manage permissions" if attr == "acl" else "GET or POST to manage files"
        return plain(405, f"Use {what}")
    return plain(405, _METHODS).with_header("allow", _METHODS)


def _unauthorised(sent: Sent) -> str:
    if sent.path == "/account/authenticate/":
        return "Invalid credentials"
    return "Must authorize before uploading" if sent.path == "/api/v1/in_bulk/" else ""


def _is_no_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return body[:2] != b"--"  # a form may hold what it likes
    return False


def _is_beyond(sent: Sent) -> bool:
    return any(key == "offset" and value.isdigit() and int(value) >= 2**63 for key, value in sent.query)
