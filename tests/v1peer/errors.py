"""How the original said that something failed."""

from __future__ import annotations

from tests.v1peer.exchange import Answer, Forward, Sent, plain, told
from tests.v1peer.peer import Peer
from tests.v1peer.writing import failed

_EMPTY = (404, 405, 410, 501)


async def bare_failures(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Answer what is refused without a reason: empty, a canned text, or HTML."""
    answer = await forward(sent)
    if answer.status < 400 or not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return answer
    words = answer.json
    if answer.status == 400 and (_is_no_text(sent.body) or _is_beyond(sent)):
        return failed(sent)
    if answer.status == 400 and sent.path == "/api/v1/in_bulk/":
        return plain(400, words["detail"])
    if answer.status == 400:
        return told(400, {"error": words["error"]})
    if answer.status == 401:
        return plain(401, _unauthorised(sent))
    if answer.status in _EMPTY:
        return (
            plain(answer.status).with_header("allow", answer.headers["allow"])
            if answer.status == 405
            else plain(answer.status)
        )
    # What this server refuses with a reason, the original stumbled over.
    return failed(sent) if answer.status in (403, 409, 412, 415, 422, 500) else plain(answer.status, words["detail"])


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
