"""Servers in processes of their own: one that serves a lab, and one that does nothing but move bytes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

_PIECE = 1 << 20
_FOLDER = "GNODE_ORM_BENCH_FOLDER"
_LAB = "from gnode_orm.server.serving import serve; serve({lab!r}, port={port}, workers={workers})"
_MOVER = (
    "from granian import Granian; from granian.constants import Interfaces; "
    "Granian('benchmarks.peers.serving:moving_bytes', address='127.0.0.1', port={port}, "
    "interface=Interfaces.ASGI, log_enabled=False).serve()"
)


@dataclass
class Server:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]

    def memory(self) -> int:
        """Bytes of memory that the server's processes took at most since the last reset."""
        return sum(high_water(pid) for pid in _family(self.process.pid))

    def reset_memory(self) -> None:
        """Begin to look for the highest memory anew."""
        for pid in _family(self.process.pid):
            reset_high_water(pid)


@contextmanager
def serving_lab(lab: Path, workers: int = 1) -> Iterator[tuple[Server, str]]:
    """Serve a new lab; gives the server and a token of its only user."""
    from gnode_orm.stores.local import open_local
    from gnode_orm.stores.local.accounts import BEARER

    store = open_local(lab)
    store.accounts.add("bench", "a password of the benchmark")
    token = store.accounts.new_token("bench", BEARER, 86_400)
    store.close()
    with _running(_LAB.format(lab=str(lab), port="{port}", workers=workers), "/healthz", {}) as server:
        yield server, token


@contextmanager
def serving_bytes(folder: Path) -> Iterator[Server]:
    """Serve files of a folder: PUT writes one, GET reads it."""
    with _running(_MOVER, "/", {_FOLDER: str(folder)}) as server:
        yield server


@contextmanager
def _running(script: str, first: str, environment: dict[str, str]) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", script.format(port=port)],
        stderr=subprocess.DEVNULL, env=os.environ | environment, start_new_session=True,
    )  # fmt: skip
    try:
        with requests.Session() as client:
            # Connecting is tried until the server listens.
            client.mount("http://", HTTPAdapter(max_retries=Retry(connect=12, backoff_factor=0.1)))
            client.get(f"http://127.0.0.1:{port}{first}", timeout=30)
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


async def moving_bytes(scope: Any, receive: Any, send: Any) -> None:
    """Write the body of a PUT into a file, or answer with the content of a file; the limit of what HTTP can do.

    With ``?durable`` the file is on disk, under its name, before the answer.
    """
    if scope["type"] != "http":
        return
    path = Path(os.environ[_FOLDER]) / (Path(scope["path"]).name or "none")
    durable = scope["query_string"] == b"durable"
    if scope["method"] == "PUT":
        with path.open("wb") as file:
            more = True
            while more:
                message = await receive()
                file.write(message.get("body", b""))
                more = message.get("more_body", False)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if durable:
            _sync_folder(path.parent)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200 if path.exists() else 404, "headers": []})
    async for piece in _pieces(path):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    if path.exists():
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def no_proc() -> str | None:
    """Say why memory cannot be measured here."""
    return None if Path("/proc/self/clear_refs").exists() else "no /proc to read the memory of processes from"


def high_water(pid: int | str) -> int:
    """Bytes of memory that a process took at most since the last reset."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def reset_high_water(pid: int | str) -> None:
    """Begin to look for the highest memory of a process anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def carried() -> int:
    """Bytes that the loopback interface carried, those of every program."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == "lo":
            return int(counts.split()[0])
    return 0


def _family(pid: int) -> list[int]:
    return [pid, *(member for child in children_of(pid) for member in _family(child))]


def children_of(pid: int) -> list[int]:
    """The processes that a process began, from whichever of its threads."""
    return [
        int(child) for listed in Path(f"/proc/{pid}/task").glob("*/children") for child in listed.read_text().split()
    ]
