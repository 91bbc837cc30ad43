"""A server that speaks S3, in a process of its own."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import IO
from urllib.request import Request, urlopen

import pytest


@contextmanager
def s3_server() -> Iterator[str]:
    """Run one on a free port; gives its address."""
    for package in ("obstore", "moto.server"):
        pytest.importorskip(package, reason=f"no S3: {package} is not installed (pip install 'gnode-orm[s3,dev]')")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        try:
            address = next(line.split()[-1] for line in process.stderr if "Running on" in line)
            # What is not read would make the server wait.
            Thread(target=_drain, args=[process.stderr], daemon=True).start()
            yield address
        finally:
            process.kill()


def _drain(lines: IO[str]) -> None:
    for _ in lines:
        pass


def new_bucket(address: str) -> str:
    """Make an empty bucket."""
    name = f"arrays-{secrets.token_hex(6)}"
    with urlopen(Request(f"{address}/{name}", method="PUT")):
        return name
