"""One request and its answer, whole in memory, so that a defect can change either."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from gnode_orm.core.schema import SCHEMA
from gnode_orm.wire.json_text import dumps

Json = Any
Forward = Callable[["Sent"], Awaitable["Answer"]]


@dataclass(frozen=True)
class Place:
    """What an address of API v1 names: a list, an object, or something of an object."""

    kind: str
    id: str = ""
    attr: str = ""

    @property
    def path(self) -> str:
        parts = [part for part in (self.id, self.attr) if part]
        return f"/api/v1/{SCHEMA[self.kind].namespace}/{self.kind}/" + "".join(f"{part}/" for part in parts)


@dataclass(frozen=True)
class Sent:
    """A request; ``user`` is who it comes from, empty for a stranger."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str = ""

    @property
    def place(self) -> Place | None:
        """The object or list that is meant, where it is one of the 18 kinds."""
        parts = self.path.split("/")
        if parts[:3] != ["", "api", "v1"] or parts[-1] != "" or not 6 <= len(parts) <= 8:
            return None
        namespace, kind, *rest = parts[3:-1]
        if kind not in SCHEMA or SCHEMA[kind].namespace != namespace or rest[:1] in (["schema"], ["set"]):
            return None
        return Place(kind, *rest)

    @property
    def is_bulk(self) -> bool:
        return (self.method, self.path) == ("POST", "/api/v1/in_bulk/")

    def without(self, *headers: str) -> Sent:
        return replace(self, headers={key: value for key, value in self.headers.items() if key not in headers})

    def asking(self, method: str, path: str, query: tuple[tuple[str, str], ...] = ()) -> Sent:
        """Another request of the same user, without a body."""
        kept = {key: self.headers[key] for key in ("host", "cookie") if key in self.headers}
        return Sent(method, path, query, kept, b"", self.user)

    def telling(self, method: str, path: str, value: Json) -> Sent:
        """Another request of the same user, with JSON."""
        asked = self.asking(method, path)
        return replace(asked, headers={**asked.headers, "content-type": "application/json"}, body=dumps(value))

    def scope(self, like: dict[str, Any]) -> dict[str, Any]:
        """The request as ASGI has it."""
        headers = {**self.headers, "content-length": str(len(self.body))}
        return {
            **like,
            "method": self.method,
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": urlencode(self.query).encode(),
            "headers": [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()],
        }


@dataclass(frozen=True)
class Answer:
    """An answer; headers of one name that may come twice are in ``cookies``."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Json:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def having(self, value: Json) -> Answer:
        return replace(self, body=dumps(value))

    def with_header(self, name: str, value: str) -> Answer:
        return replace(self, headers={**self.headers, name: value})

    def without(self, *headers: str) -> Answer:
        return replace(self, headers={key: value for key, value in self.headers.items() if key not in headers})


def plain(status: int, text: str = "", media: str = "text/html; charset=utf-8") -> Answer:
    """An answer of a few words."""
    return Answer(status, {"content-type": media}, text.encode())


def told(status: int, value: Json) -> Answer:
    """An answer in JSON."""
    return Answer(status, {"content-type": "application/json"}, dumps(value))


def sent_from(scope: dict[str, Any], body: bytes, user: str) -> Sent:
    """Read a request from what ASGI has of it."""
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
    query = tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    headers.pop("content-length", None)
    headers.pop("transfer-encoding", None)
    return Sent(scope["method"], scope["path"], query, headers, body, user)


def shown(value: Json) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in an answer, with its kind."""
    if not isinstance(value, dict):
        return
    several = value.get("selected", value.get("objects"))
    for item in several if isinstance(several, list) else [value]:
        parts = str(item.get("resource_uri", "")).split("/") if isinstance(item, dict) else []
        if len(parts) == 7 and parts[4] in SCHEMA:
            yield parts[4], item


def changed(answer: Answer, change: Callable[[str, dict[str, Any]], None]) -> Answer:
    """The answer with every object in it changed in place."""
    value = answer.json
    found = list(shown(value)) if answer.status < 300 else []
    for kind, item in found:
        change(kind, item)
    return answer.having(value) if found else answer
