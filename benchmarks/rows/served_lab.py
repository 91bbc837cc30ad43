"""A lab over HTTP on the loopback interface."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers.serving import serving_lab

SERVER = ("granian", "starlette")


@contextmanager
def served_lab(folder: Path) -> Iterator[tuple[Any, Any]]:
    """Serve a new lab; gives it as a client sees it, and its server."""
    from gnode_orm import connect

    # What was read once would come from the disk cache the next time.
    os.environ["GNODE_ORM_CACHE_MB"] = "0"
    with serving_lab(folder / "lab") as (server, token):
        lab = connect(server.url, token=token)
        try:
            yield lab, server
        finally:
            lab.close()
