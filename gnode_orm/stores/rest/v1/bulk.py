"""Sending an HDF5 delta: one multipart request whose body is read from a file as it goes."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from gnode_orm.stores.rest.v1.connection import V1Connection
from gnode_orm.stores.rest.v1.delta import Open, Sent, write_delta
from gnode_orm.stores.rest.v1.records import Json

PATH = "/api/v1/in_bulk/"
FIELD = "raw_file"


def send(connection: V1Connection, objects: list[Sent], open_array: Open) -> Json:
    """Send objects, all of them or nothing; gives the one that the server answers with.

    Raises:
        Refused: nothing was written.
        StoreUnavailable: it is not known whether anything was.
    """
    with _delta(objects, open_array) as file:
        body = Multipart(file)
        return connection.once(PATH, body, body.content_type)


@contextmanager
def _delta(objects: list[Sent], open_array: Open) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile(prefix="gnode-orm-") as file:
        write_delta(file, objects, open_array)
        yield file


class Multipart:
    """A form with one file in it; knows its length, since servers of then take no body without."""

    def __init__(self, file: IO[bytes]) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        disposition = f'Content-Disposition: form-data; name="{FIELD}"; filename="{FIELD}"'
        self._head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._file = file
        self._size = file.seek(0, 2)
        self._at = 0
        self.seek(0)

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def seek(self, at: int) -> int:
        """Go back to the beginning, to be sent again."""
        self._at = at
        self._file.seek(max(0, at - len(self._head)))
        return at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Give the next bytes."""
        left = len(self) - self._at if size < 0 else min(size, len(self) - self._at)
        parts: list[Any] = []
        while left > 0:
            part = self._next(left)
            parts.append(part)
            left -= len(part)
            self._at += len(part)
        return b"".join(parts)

    def _next(self, size: int) -> bytes:
        if self._at < len(self._head):
            return self._head[self._at : self._at + size]
        if self._at < len(self._head) + self._size:
            return self._file.read(min(size, len(self._head) + self._size - self._at))
        start = self._at - len(self._head) - self._size
        return self._tail[start : start + size]
