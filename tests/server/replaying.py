"""Recorded exchanges sent again: ids, revision ids and cookies of then are replaced by those of now."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gnode_orm.server.filters import account_number
from tests.server.asgi_client import HOST, Client

USERS = {1: "bob", 2: "ed", 3: "neo", 11: "jeff", 12: "demo"}
PASSWORD = "pass-word"
_RECORDED = int(datetime(2026, 11, 22, 5, tzinfo=UTC).timestamp()) * 1_000_000
_ID = re.compile(rb"(?<![0-9A-Za-z])[1-9A-V][0-9A-V]{9}(?![0-9A-Za-z])")
_GUID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_OWNER = re.compile(r"\bowner=(\d+)")
Json = Any


@contextmanager
def on_the_day_of_the_recording() -> Iterator[None]:
    """Let a lab take it for that day: some exchanges ask for what was made on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gnode_orm.stores.local.apply.now_us", lambda: _RECORDED)
        yield


def exchanges(file: Path) -> Iterator[dict[str, Any]]:
    """The exchanges of one topic, in the order in which they were sent."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


@dataclass
class Replay:
    """What is known of the names of then."""

    app: Any
    names: dict[bytes, bytes] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = Client(self.app)
        for user in USERS.values():
            self.client.login(user, PASSWORD)
            self.sessions[user] = self._taken_cookie() or ""

    def send(self, exchange: dict[str, Any]) -> httpx.Response:
        """Send a request again, and learn from the answer."""
        asked = exchange["request"]
        headers = {key: value for key, value in asked["headers"].items() if key != "Cookie"}
        options: dict[str, Any] = {"headers": headers}
        if "multipart" in asked:
            headers.pop("Content-Type", None)
            options["files"] = [self._part(part) for part in asked["multipart"]]
        elif "form" in asked:
            options["data"] = {key: PASSWORD if value == "pass" else value for key, value in asked["form"].items()}
        else:
            options["content"] = self.renamed(body_of(asked))
        session = self._session(exchange)
        if session:
            token = re.search(r"csrftoken=\w+", asked["headers"].get("Cookie", ""))
            headers["Cookie"] = f"sessionid={session}" + (f"; {token[0]}" if token else "")
        headers.update({key: self.renamed(headers[key].encode()).decode() for key in headers if key.startswith("If-")})
        query = f"?{asked['query']}" if asked["query"] else ""
        path = self.renamed((asked["path"] + query.replace("%2C", ",")).encode()).decode()
        path = _OWNER.sub(lambda match: f"owner={account_number(USERS.get(int(match[1]), ''))}", path)
        answer = self.client.request(asked["method"], path, **options)
        self._learn_cookie(exchange)
        self.learn(_parsed(body_of(exchange["response"])), _parsed(answer.content))
        if asked["method"] == "POST" and answer.status_code in (200, 201) and exchange["response"]["status"] >= 400:
            # What the original refused must not be in the way of what follows.
            self.client.delete(_parsed(answer.content)["location"], headers={"Cookie": headers["Cookie"]})
        return answer

    def make_up(self, exchange: dict[str, Any]) -> None:
        """Make the objects of a recorded list that were made while nothing was recorded."""
        for item in _parsed(body_of(exchange["response"]))["selected"]:
            if not self._is_known(item):
                fields = {key: item[key] for key in ("name", "index")}
                headers = {"Cookie": f"sessionid={self.sessions[exchange['user']]}"}
                answer = self.client.post(exchange["request"]["path"], json=fields, headers=headers)
                self.learn(item, _parsed(answer.content))

    def renamed(self, text: bytes) -> bytes:
        """Replace every name of then that is known."""
        text = _ID.sub(lambda match: self.names.get(match[0], match[0]), text)
        return _GUID.sub(lambda match: self.names.get(match[0], match[0]), text)

    def learn(self, then: Json, now: Json) -> None:
        """Pair the names in two answers of one shape."""
        if isinstance(then, dict) and isinstance(now, dict):
            for key in then.keys() & now.keys():
                self.learn(then[key], now[key])
        elif isinstance(then, list) and isinstance(now, list):
            self._learn_list(then, now)
        elif isinstance(then, str) and isinstance(now, str):
            for pattern in (_ID, _GUID):
                before, after = pattern.findall(then.encode()), pattern.findall(now.encode())
                if len(before) == len(after):
                    self.names.update(zip(before, after, strict=True))

    def _learn_list(self, then: list[Json], now: list[Json]) -> None:
        # The original gave lists in no order; what is known, or has the same name, belongs together.
        left = list(now)
        for item in sorted(then, key=lambda item: not self._is_known(item)):
            partner = next((other for other in left if self._same(item, other)), None)
            if partner is not None:
                left.remove(partner)
                self.learn(item, partner)

    def _is_known(self, item: Json) -> bool:
        return self.renamed(address_of(item).encode()).decode() != address_of(item)

    def _same(self, then: Json, now: Json) -> bool:
        if self._is_known(then):
            return self.renamed(address_of(then).encode()).decode() == address_of(now)
        if isinstance(then, dict) and isinstance(now, dict):
            if address_of(now).encode() in self.names.values():
                return False
            return all(then.get(key) == now.get(key) for key in ("name", "label", "author", "data", "username"))
        return address_of(now).encode() not in self.names.values()

    def _part(self, part: dict[str, Any]) -> tuple[str, tuple[str, bytes]]:
        return part["field"], (part["filename"] or "file", self.renamed(body_of(part)))

    def _session(self, exchange: dict[str, Any]) -> str | None:
        cookie = re.search(r"sessionid=(\w+)", exchange["request"]["headers"].get("Cookie", ""))
        if cookie and cookie[1] in self.cookies:
            return self.cookies[cookie[1]]
        if cookie and exchange["topic"] == "01_auth":
            return cookie[1]
        return self.sessions.get(exchange["user"] or "")

    def _learn_cookie(self, exchange: dict[str, Any]) -> None:
        given = self._taken_cookie()
        recorded = re.search(r"sessionid=(\w+)", json.dumps(exchange["response"]["headers"]))
        if recorded and given:
            self.cookies[recorded[1]] = given

    def _taken_cookie(self) -> str | None:
        given = self.client.cookies.get("sessionid")
        self.client.cookies.clear()
        return given


def differences(then: Json, now: Json, path: str = "") -> list[str]:
    """Say where the shape of a JSON answer differs: keys, types, lengths of lists, addresses with or without host."""
    if isinstance(then, dict) and isinstance(now, dict):
        found = [f"{path}.{key} is missing" for key in sorted(then.keys() - now.keys())]
        found += [f"{path}.{key} is new" for key in sorted(now.keys() - then.keys())]
        for key in sorted(then.keys() & now.keys()):
            found += differences(then[key], now[key], f"{path}.{key}")
        return found
    if isinstance(then, list) and isinstance(now, list):
        if len(then) != len(now):
            return [f"{path} has {len(now)} items, not {len(then)}"]
        pairs = zip(sorted(then, key=address_of), sorted(now, key=address_of), strict=True)
        return [text for one, other in pairs for text in differences(one, other, f"{path}[]")]
    if then is None or now is None or _type(then) == _type(now):
        return []
    return [f"{path} is {_type(now)}, not {_type(then)}"]


def compared(replay: Replay, exchange: dict[str, Any], answer: httpx.Response) -> list[str]:
    """Say where status and JSON shape differ from what was recorded."""
    recorded = exchange["response"]
    if recorded["status"] != answer.status_code:
        return [f"status {answer.status_code}, not {recorded['status']}"]
    then, now = _parsed(replay.renamed(body_of(recorded))), _parsed(answer.content)
    if recorded["status"] >= 400:
        # An error may say more than it did.
        said = not isinstance(then, dict) or "error" in now or then.keys() <= now.keys()
        return [] if said else ["no error"]
    return sorted(set(differences(then, now)))


def _type(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "URL" if value.startswith(HOST) else "path" if value.startswith("/api/") else "text"
    return type(value).__name__


def address_of(item: Json) -> str:
    """What an item of a list is told from others by."""
    return str(item.get("resource_uri", item.get("user", ""))) if isinstance(item, dict) else str(item)


def _parsed(content: bytes) -> Json:
    try:
        return json.loads(content)
    except ValueError:
        return None


def body_of(part: dict[str, Any]) -> bytes:
    """The bytes of a recorded request or answer."""
    if "body_b64" in part:
        return base64.b64decode(part["body_b64"])
    # One topic was recorded at another port.
    return (part.get("body") or "").replace("127.0.0.1:8011", "127.0.0.1:8010").encode()
