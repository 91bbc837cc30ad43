"""Asking over a connection of urllib3 that is open already, with no more around it than HTTP needs.

urllib3 connects, by TLS and through tunnels, and reads every answer that is not plain. What it and ``http.client`` do
around each request takes several times as long as reading a slice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

# What comes with the head of an answer is copied once more, the rest goes to its place.
_BUFFER = 64 << 10
_MOST_HEADERS = 100

Pool = urllib3.HTTPConnectionPool


class PlainAnswer:
    """An answer whose length is told, read from its connection by whoever asked.

    Raises:
        urllib3.exceptions.HTTPError: it is none, or was cut.
    """

    def __init__(self, pool: Pool, connection: Any, url: str) -> None:
        self.url = url
        self._pool = pool
        self._connection = connection
        self._file = connection.sock.makefile("rb", _BUFFER)
        self._left = -1
        try:
            self.status, self.headers = self._head()
        except (OSError, ValueError) as error:
            self.close()
            raise _lost(pool, url, error) from error

    def _head(self) -> tuple[int, Mapping[str, str]]:
        version, number = self._file.readline(_BUFFER).split(None, 2)[:2]
        status, headers = int(number), urllib3.HTTPHeaderDict(self._header_lines())
        is_coded = "Transfer-Encoding" in headers or "Content-Encoding" in headers
        if version == b"HTTP/1.1" and status >= 200 and not is_coded:
            self._left = int(headers.get("Content-Length", -1))
        return status, headers

    def _header_lines(self) -> Iterator[tuple[str, str]]:
        for _ in range(_MOST_HEADERS):
            line = self._file.readline(_BUFFER).decode("latin-1")
            if line == "\r\n":
                return
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"{line[:80]!r} is no header")
            yield name, value.strip()
        raise ValueError("the headers do not end")

    @property
    def is_plain(self) -> bool:
        """Whether it can be read here."""
        return self._left >= 0

    @property
    def data(self) -> bytes:
        """What was not read yet."""
        return self.read()

    def read(self, size: int | None = None) -> bytes:
        """Read so many bytes, or what is left."""
        data = bytearray(self._left if size is None else min(size, self._left))
        self.readinto(memoryview(data))
        return bytes(data)

    def readinto(self, memory: memoryview) -> int:
        """Fill memory, or a part of it with what is left; gives how many bytes came."""
        wanted = memory[: self._left]
        try:
            count: int = self._file.readinto(wanted)
        except OSError as error:
            raise _lost(self._pool, self.url, error) from error
        self._left -= count
        if count < len(wanted):
            raise ProtocolError(f"{self._left} bytes of the answer are missing")
        return count

    def close(self) -> None:
        """Give the connection back for the next request, unless something is left on it."""
        self._file.close()
        if self._left or "close" in self.headers.get("Connection", "").lower():
            self._connection.close()
        self._pool._put_conn(self._connection)


def ask(pool: Pool, head: str, body: bytes, timeout: float, url: str) -> PlainAnswer | None:
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
    return PlainAnswer(pool, connection, url)


def _lost(pool: Pool, url: str, error: Exception) -> HTTPError:
    if isinstance(error, TimeoutError):
        return ReadTimeoutError(pool, url, "Read timed out.")
    return ProtocolError("Connection aborted.", error)
