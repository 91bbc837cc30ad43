"""Requests to a server of API v1: what may be sent twice is, and an answer of any form becomes a value or an error."""

from __future__ import annotations

from collections.abc import Sized
from contextlib import closing
from email.utils import parsedate_to_datetime
from html import unescape
from re import DOTALL, search, sub
from typing import Any
from urllib.parse import quote

from urllib3.exceptions import HTTPError

from gnode_orm.core.instants import microseconds
from gnode_orm.core.shortened import shortened
from gnode_orm.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    StoreUnavailable,
    UnsupportedByStore,
    ValidationFailed,
)
from gnode_orm.stores.rest.connection import Connection, json_of
from gnode_orm.stores.rest.transport import Answer
from gnode_orm.stores.rest.v1.records import Json
from gnode_orm.wire import json_text
from gnode_orm.wire.failures import failure_of

_GONE = (404, 410)
_NO_RIGHT = (401, 403)


class Refused(Exception):
    """An answer of 400 and above, from which nothing was written.

    Attributes:
        status: of the answer.
        text: what it says, whatever its form.
    """

    def __init__(self, status: int, text: str, body: Any = None) -> None:
        super().__init__(text or f"the server answered {status}")
        self.status = status
        self.text = str(self)
        self.body = body

    @property
    def gone(self) -> bool:
        """Whether there is nothing at the address."""
        return self.status in _GONE

    @property
    def denied(self) -> bool:
        """Whether the user lacks a right to it, as far as the status tells: for a change it may be any failure."""
        return self.status in _NO_RIGHT

    def error(self, what: str) -> Exception:
        """Make the error of this package for it."""
        text = f"{what}: {self.text}"
        if isinstance(self.body, dict) and "code" in self.body:
            return failure_of(self.status, {**self.body, "detail": text})
        if self.gone:
            return NotFound(text)
        if self.denied:
            return AccessDenied(text)
        if self.status in (405, 501):
            return UnsupportedByStore(text)
        return ValidationFailed(text) if self.status < 500 else StoreUnavailable(text)


class V1Connection(Connection):
    """The way to one server of API v1; safe to use from many threads."""

    time = 0
    """The server's time at its latest answer, in microseconds; 0 where it does not tell."""

    def _sent(self, method: str, path: str, body: Any, headers: dict[str, str], stream: bool) -> Answer:
        answer = super()._sent(method, path, body, headers, stream)
        self.time = _time(answer) or self.time
        return answer

    def _failure(self, answer: Answer) -> Exception:
        return Refused(answer.status, *_said(answer))

    def _authorised_answer(self, method: str, path: str, body: Any, headers: dict[str, str], stream: bool) -> Answer:
        known = self._logins
        answer = self._sent(method, path, body, headers, stream)
        # 401 means "not logged in" as well as "not for you"; who is still known to the server has no right.
        if answer.status == 401 and known and not self._is_known():
            answer.close()
            self._log_in_after(known)
            if hasattr(body, "seek"):
                body.seek(0)
            answer = self._sent(method, path, body, headers, stream)
        return answer

    def _is_known(self) -> bool:
        path = f"/api/v1/user/user/{quote(self._credentials.username or '', safe='')}/"
        return self._sent("GET", path, None, {}, False).status != 401

    def _log_in_after(self, known: int) -> None:
        try:
            super()._log_in_after(known)
        except Refused as refusal:
            raise AuthenticationFailed(f"{self.address} refuses the login: {refusal.text}") from None

    def get(self, path: str) -> Any:
        """Give the JSON at an address.

        Raises:
            Refused: there is none, or not for this user.
        """
        return self.exchange("GET", path, lambda answer: json_of(answer, json_text.loads))

    def get_or_none(self, path: str) -> Any:
        """Give the JSON at an address; ``None`` where there is nothing, or nothing that this user may read."""
        try:
            return self.get(path)
        except Refused as refusal:
            if refusal.gone or refusal.denied:
                return None
            raise refusal.error(f"{self.address}{path}") from None

    def read(self, path: str) -> Any:
        """Give the JSON at an address that must be there."""
        try:
            return self.get(path)
        except Refused as refusal:
            raise refusal.error(f"{self.address}{path}") from None

    def once(self, path: str, body: Sized, content_type: str) -> Json:
        """Post something that must not be sent twice, and give the answer.

        Raises:
            Refused: nothing was written.
            StoreUnavailable: no answer came, so it is not known whether anything was.
        """
        try:
            # A body that is read as it is sent would go in chunks otherwise.
            headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
            with closing(self._authorised_answer("POST", path, body, headers, False)) as answer:
                if answer.status in (408, 502, 503, 504):
                    raise StoreUnavailable(f"{self.address} answered {answer.status}; the outcome is not known")
                if answer.status >= 400:
                    raise self._failure(answer)
                found: Json = json_of(answer, json_text.loads)
                return found
        except HTTPError as error:
            raise self._lost(error) from None


def _time(answer: Answer) -> int:
    try:
        return microseconds(parsedate_to_datetime(answer.headers["Date"]))
    except (KeyError, ValueError):
        return 0


def _said(answer: Answer) -> tuple[str, Any]:
    """What an error says: problem JSON, the protocol's own JSON, a page, plain text, or nothing."""
    body: Any = None
    try:
        body = json_text.loads(answer.data)
    except ValidationFailed:
        return _plain_text(answer.data.decode(errors="replace")), None
    if isinstance(body, dict):
        said = body.get("detail") or body.get("error") or body.get("error_message") or ""
        return "; ".join(map(str, said)) if isinstance(said, list) else str(said), body
    return str(body or ""), None


def _plain_text(text: str) -> str:
    heading = search(r"<title>(.*?)</title>", text, DOTALL) or search(r"<h1>(.*?)</h1>", text, DOTALL)
    if heading is None and text.lstrip().startswith("<"):
        return ""
    found = unescape(sub(r"\s+", " ", heading[1] if heading else text)).strip()
    return shortened(found, 300)
