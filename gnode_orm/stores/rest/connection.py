"""Asking a server: time-outs, retries, logging in again, and answers turned into values or errors.

Everything that is sent here may be sent twice: reads change nothing, pieces of arrays are named by their hash, the
same rows give the same longer array, and a change set carries its id, so that the server answers a second one with the
receipt of the first.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
import urllib3

from gnode_orm.errors import AuthenticationFailed, StoreUnavailable, ValidationFailed
from gnode_orm.stores.rest.transport import Answer, Transport
from gnode_orm.wire import frames
from gnode_orm.wire.failures import failure_of

T = TypeVar("T")

_LOGIN = "/account/authenticate/"
_FORM = "application/x-www-form-urlencoded"
_PASSING = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to try.

    Attributes:
        connect, read: seconds until a server that does not answer counts as lost.
        attempts: how often one request is sent in all.
        pause: seconds before the third attempt, doubled before each later one.
        longest: seconds that a server may ask to be left alone; where it asks for more, the failure is told at once.
    """

    connect: float = 5.0
    read: float = 120.0
    attempts: int = 5
    pause: float = 0.2
    longest: float = 30.0


@dataclass(frozen=True)
class Credentials:
    """Who logs in, and with what; kept in memory alone."""

    username: str | None = None
    password: str | None = None
    token: str | None = None


class _Passing(Exception):
    """A failure that may be over soon, and the seconds after which the server wants to be asked again."""

    def __init__(self, failure: Exception, asked: float | None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.asked = asked


class Connection:
    """The way to one server; safe to use from many threads."""

    def __init__(self, address: str, credentials: Credentials, patience: Patience) -> None:
        self.address = address.rstrip("/")
        self._credentials = credentials
        self._patience = patience
        self._lock = threading.Lock()
        self._closed = False
        self._logins = 0
        self._transport = Transport(self.address)

    def log_in(self) -> None:
        """Log in with name and password, where they were given; the server keeps a session in a cookie."""
        if self._credentials.password is not None:
            self._patiently("POST", _LOGIN, lambda: self._log_in_after(self._logins))

    def _log_in_after(self, known: int) -> None:
        with self._lock:
            if self._logins != known:
                return  # another thread did
            form = {"username": self._credentials.username, "password": self._credentials.password}
            answer = self._sent("POST", _LOGIN, urlencode(form), {"Content-Type": _FORM}, False)
            if answer.status == 401:
                who = self._credentials.username
                raise AuthenticationFailed(
                    f"{self.address} does not know this user or password ({who}); nothing was written"
                )
            if answer.status >= 400:
                raise self._failure(answer)
            self._logins += 1

    def call(self, path: str, message: Any) -> Any:
        """Send a JSON message and give the JSON that comes back."""
        body = frames.dumps(message)
        return self.exchange("POST", path, lambda answer: json_of(answer), body, "application/json")

    def fetch(self, path: str) -> Any:
        """Give the JSON at an address."""
        return self.exchange("GET", path, lambda answer: json_of(answer))

    def exchange(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        body: Any = None,
        content_type: str | None = None,
        *,
        length: int | None = None,
        stream: bool = False,
    ) -> T:
        """Send a request until there is an answer, and read it; a cut answer is asked for again.

        ``length`` is that of a body given in parts; ``stream`` has ``read`` take the body of the answer as it comes.

        Raises:
            StoreUnavailable: no whole answer came, however often it was asked for.
            GnodeError: what the server says.
        """
        headers = {} if content_type is None else {"Content-Type": content_type}
        if length is not None:
            headers["Content-Length"] = str(length)

        def once() -> T:
            with closing(self._authorised_answer(method, path, body, headers, stream)) as answer:
                if answer.status < 400:
                    return read(answer)
                failure = self._failure(answer)
                asked = self._retries().get_retry_after(answer)  # type: ignore[arg-type]
                if answer.status in _PASSING and (asked or 0) <= self._patience.longest:
                    raise _Passing(failure, asked)
                raise failure

        return self._patiently(method, path, once)

    def _patiently(self, method: str, path: str, once: Callable[[], T]) -> T:
        """Do something until there is an answer, or patience is at its end."""
        retry: urllib3.Retry | None = None
        while True:
            asked = None
            try:
                return once()
            except _Passing as passing:
                failure, asked = passing.failure, passing.asked
            except urllib3.exceptions.HTTPError as error:
                failure = self._lost(error)
                if isinstance(error, urllib3.exceptions.SSLError):
                    raise failure from error
            try:
                said = urllib3.exceptions.HTTPError(str(failure))
                retry = (retry or self._retries()).increment(method, path, error=said)
            except urllib3.exceptions.MaxRetryError:
                raise self._given_up(failure) from None
            time.sleep(asked) if asked else retry.sleep()

    def _given_up(self, failure: Exception) -> Exception:
        attempts = self._patience.attempts
        if attempts == 1 or not isinstance(failure, StoreUnavailable):
            return failure
        return StoreUnavailable(f"{failure}; given up after {attempts} attempts")

    def _retries(self) -> urllib3.Retry:
        total = self._patience.attempts - 1
        return urllib3.Retry(total, allowed_methods=None, backoff_factor=self._patience.pause / 2, backoff_jitter=0.05)

    def _authorised_answer(self, method: str, path: str, body: Any, headers: dict[str, str], stream: bool) -> Answer:
        known = self._logins
        answer = self._sent(method, path, body, headers, stream)
        if answer.status == 401 and self._credentials.password is not None and known:
            # The session ended in between; whoever gave his password need not notice.
            answer.close()
            self._log_in_after(known)
            answer = self._sent(method, path, body, headers, stream)
        return answer

    def _sent(self, method: str, path: str, body: Any, headers: dict[str, str], stream: bool) -> Answer:
        if self._closed:
            raise StoreUnavailable("The lab is closed; open it again with connect()")
        if self._credentials.token is not None:
            headers = {**headers, "Authorization": f"Bearer {self._credentials.token}"}
        limits = self._patience.connect, self._patience.read
        return self._transport.request(method, path, body, headers, timeout=limits, stream=stream)

    def _failure(self, answer: Answer) -> Exception:
        try:
            body = orjson.loads(answer.data)
        except orjson.JSONDecodeError:
            body = None
        if answer.status == 401 and not isinstance(body, dict):
            return AuthenticationFailed(f"{self.address} does not know this user or password; nothing was written")
        return failure_of(answer.status, body)

    def _lost(self, error: Exception) -> StoreUnavailable:
        if "WRONG_VERSION_NUMBER" in str(error) or "record layer failure" in str(error):
            return StoreUnavailable(f"{self.address} does not speak TLS; does it stand at http://?")
        if isinstance(error, urllib3.exceptions.SSLError):
            return StoreUnavailable(f"The certificate of {self.address} is not trusted ({_reason(error)})")
        unreached = isinstance(_root(error), ConnectionRefusedError | socket.gaierror)
        if unreached or isinstance(error, urllib3.exceptions.NewConnectionError):
            return StoreUnavailable(
                f"{self.address} cannot be reached ({_reason(error)}); is the address right, and does the server run?"
            )
        if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
            return StoreUnavailable(f"{self.address} did not answer within {self._patience.connect:g} s")
        if isinstance(error, urllib3.exceptions.TimeoutError):
            return StoreUnavailable(f"{self.address} was silent for {self._patience.read:g} s")
        return StoreUnavailable(f"The connection to {self.address} was lost ({_reason(error)})")

    def close(self) -> None:
        """Close every connection."""
        self._closed = True
        self._transport.close()


def _root(error: BaseException) -> BaseException:
    while error.__context__ is not None or error.__cause__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return error


def _reason(error: BaseException) -> str:
    return str(_root(error)) or type(_root(error)).__name__


def json_of(answer: Answer, loads: Callable[[bytes], Any] = frames.loads) -> Any:
    """Read the JSON of an answer; ``loads`` says how much of what is not quite JSON is taken.

    Raises:
        StoreUnavailable: it holds none, or another address is told.
    """
    if 300 <= answer.status < 400:
        where = answer.headers.get("Location", "nowhere")
        raise StoreUnavailable(f"{answer.url} sends on to {where}; open the lab at that address")
    try:
        return loads(answer.data)
    except ValidationFailed:
        raise StoreUnavailable(f"{answer.url} answered with something else than JSON; is this a server?") from None
