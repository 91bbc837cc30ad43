"""Things that have a name and are no files."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bound(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the address of a socket has to be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)
