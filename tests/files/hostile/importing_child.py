"""The process that imports damaged files: it may be killed, and what it does to the machine is told line by line.

Run as ``python -m tests.files.hostile.importing_child LAB``; it reads a path from each line of its standard input and
answers with a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

LIMIT = 1 << 30
"""Bytes of memory that an import may fill, the program itself included."""

# Readers make room for texts whose length is four bytes in the file, and fill as much of it as the file holds.
_RESERVED = 5 << 30

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = {
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.chmod",
    "os.truncate",
    "shutil.rmtree",
    "shutil.move",
    "shutil.copyfile",
    "os.system",
    "socket.connect",
}


def main(lab: Path) -> None:
    """Import the file of each line."""
    from gnode_orm import connect

    _warm_up()
    written: list[str] = []
    sys.addaudithook(lambda event, args: _watch(event, args, lab, written))
    with connect(lab) as opened:
        _limit_memory()
        answer = sys.stdout
        answer.write("ready\n")
        answer.flush()
        for line in sys.stdin:
            written.clear()
            before = _contents(opened)
            said = _import(opened, line.rstrip("\n"))
            said |= {"outside": list(written), "peak": _peak(), "unchanged": _contents(opened) == before}
            answer.write(json.dumps(said) + "\n")
            answer.flush()


def _import(lab: Any, path: str) -> dict[str, Any]:
    from gnode_orm.errors import FormatError, ValidationFailed

    with lab.session() as session:
        try:
            result = session.import_file(path, again=True)
            return {"outcome": "imported", "made": len(result.blocks) + len(result.documents)}
        except (FormatError, ValidationFailed) as error:
            return {"outcome": "refused", "message": str(error)}
        except BaseException:
            return {"outcome": "broken", "message": traceback.format_exc()}


def _contents(lab: Any) -> dict[str, int]:
    from gnode_orm.core.schema import SCHEMA
    from gnode_orm.models import MODELS

    with lab.session() as session:
        return {kind: session.query(MODELS[kind]).count() for kind in SCHEMA}


def _watch(event: str, args: tuple[Any, ...], lab: Path, written: list[str]) -> None:
    if event == "open":
        path, _, flags = args
        if not isinstance(flags, int) or not flags & _WRITING or not isinstance(path, str | bytes | os.PathLike):
            return
        places = [path]
    elif event in _CHANGING:
        places = [item for item in args if isinstance(item, str | bytes | os.PathLike)]
    else:
        return
    for place in places:
        real = Path(os.path.realpath(os.fsdecode(place)))
        if not real.is_relative_to(lab) and real != Path(os.devnull):
            written.append(f"{event} {real}")


def _warm_up() -> None:
    """Load what imports load, so that the memory of programs is not taken for that of data."""
    import importlib

    for name in (
        "neo.io",
        "h5py",
        "nixio",
        "pynwb",
        "pyabf.atf",
        "wfdb",
        "scipy.io",
        "gnode_orm.models",
        "gnode_orm.files.recordings",
    ):
        importlib.import_module(name)


def _limit_memory() -> None:
    import resource

    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + _RESERVED, most))


def _peak() -> int:
    """Bytes that this process took at most: what ``getrusage`` tells begins with what its parent had."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
