"""Asking over a connection of urllib3 that is open already, with no more around it than HTTP needs.

urllib3 connects, by TLS and through tunnels. What it does around each request, and its answers, take several times as
long as reading a slice; answers are read by ``http.client`` instead.
"""

from __future__ import annotations

from email.message import Message
from http.client import HTTPException, HTTPResponse
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

Pool = urllib3.HTTPConnectionPool


class PlainAnswer:
    """An answer that is read from its connection by whoever asked.

    Raises:
        urllib3.exceptions.HTTPError: it is none, or was cut.
    """

    def __init__(self, pool: Pool, connection: Any, method: str, url: str) -> None:
        self.url = url
        self._pool = pool
        self._connection = connection
        self._response = HTTPResponse(connection.sock, method=method)
        try:
            self._response.begin()
        except (OSError, HTTPException) as error:
            self.close()
            raise _lost(pool, url, error) from error
        self.status = self._response.status
        self.headers = self._response.headers

    @property
    def data(self) -> bytes:
        """What was not read yet."""
        return self.read()

    def read(self, size: int | None = None) -> bytes:
        """Read so many bytes, or what is left."""
        try:
            data = self._response.read(size)
        except (OSError, HTTPException) as error:
            raise _lost(self._pool, self.url, error) from error
        self._check_end(len(data))
        return data

    def readinto(self, memory: memoryview) -> int:
        """Fill memory, or a part of it with what is left; gives how many bytes came."""
        try:
            count = self._response.readinto(memory)
        except (OSError, HTTPException) as error:
            raise _lost(self._pool, self.url, error) from error
        self._check_end(count)
        return count

    def _check_end(self, count: int) -> None:
        # Who reads in parts is not told by http.client that some are missing.
        if not count and self._response.length:
            raise ProtocolError(f"{self._response.length} bytes of the answer are missing")

    def info(self) -> Message:
        """Give the headers to a jar of cookies."""
        return self.headers

    def close(self) -> None:
        """Give the connection back for the next request, unless something is left on it."""
        if self._response.will_close is not False or not self._response.isclosed():
            self._connection.close()
        self._response.close()
        self._pool._put_conn(self._connection)


def ask(pool: Pool, method: str, head: str, body: bytes, timeout: float, url: str) -> PlainAnswer | None:
    """Send a request over an open connection; gives nothing, and sends nothing, where there is none.

    Raises:
        urllib3.exceptions.HTTPError: no answer came.
    """
    connection: Any = pool._get_conn()
    if connection.is_closed:
        pool._put_conn(connection)
        return None
    try:
        connection.sock.settimeout(timeout)
        connection.sock.sendall(head.encode("latin-1") + body)
    except OSError as error:
        connection.close()
        pool._put_conn(connection)
        raise _lost(pool, url, error) from error
    return PlainAnswer(pool, connection, method, url)


def _lost(pool: Pool, url: str, error: Exception) -> HTTPError:
    if isinstance(error, TimeoutError):
        return ReadTimeoutError(pool, url, "Read timed out.")
    return ProtocolError("Connection aborted.", error)
