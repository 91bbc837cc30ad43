"""Import real recordings, beside neo's own reading of the same files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row

DATA = Path(os.environ.get("GNODE_ORM_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
_FILES = {
    "abf": ("abf1-187sweeps-tags", "*.abf", "AxonIO"),
    "abf-short": ("abf2-16ch-4units", "*.abf", "AxonIO"),
    "edf": ("edf-139ch", "*.edf", "EDFIO"),
    "blackrock": ("blackrock-nev", "*.nev", "BlackrockIO"),
    "blackrock-ns2": ("blackrock-ns2", "*.ns2", "BlackrockIO"),
    "intan": ("intan-rhd", "*.rhd", "IntanIO"),
}


def _file(name: str) -> Path | None:
    folder, pattern, _ = _FILES[name]
    return next(iter(sorted((DATA / folder).rglob(pattern))), None)


def _absent(name: str) -> str | None:
    return None if _file(name) else f"no sample recordings in {DATA}"


@contextmanager
def _ours(folder: Path, name: str) -> Iterator[Round]:
    from gnode_orm import Session

    path = _file(name)
    number = 0

    def once(meter: Meter) -> None:
        nonlocal number
        number += 1
        with Session(folder / f"lab{number}") as session, meter:
            session.import_file(path)

    yield once


@contextmanager
def _neo(folder: Path, name: str) -> Iterator[Round]:
    import neo.io

    path = _file(name)
    assert path is not None
    reader = getattr(neo.io, _FILES[name][2])
    whole = {"load_waveforms": True} if name == "blackrock" else {}

    def once(meter: Meter) -> None:
        source = str(path.with_suffix("")) if name.startswith("blackrock") else str(path)
        with meter:
            reader(filename=source).read(**whole)

    yield once


def _row(name: str) -> Row:
    path = _file(name)
    return Row(
        f"import-{name}",
        f"import {path.name if path else name}",
        (
            Contestant("ours", partial(_ours, name=name), absent=partial(_absent, name)),
            Contestant("neo, reading alone", partial(_neo, name=name), needs=("neo",), absent=partial(_absent, name)),
        ),
        (Reach("neo, reading alone", at_most=1.3),),
    )


IMPORTS = tuple(_row(name) for name in _FILES)
