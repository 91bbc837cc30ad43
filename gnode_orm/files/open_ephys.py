"""Folders of Open Ephys, one reader for each experiment.

The reader of neo takes the streams of the first experiment for those of all: events of the others are refused for
having another count, and folders whose experiments differ are not read at all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any


def experiments_of(folder: Path) -> list[str]:
    """Name the experiments in a folder, in their order."""
    names = {file.parent.parent.name for file in folder.rglob("structure.oebin")}
    return sorted(names, key=lambda name: (_number(name), name))


def reader_of_experiment(folder: Path, name: str) -> Any:
    """Make a reader of neo for one experiment; it is the only block of that reader."""
    from neo.io import OpenEphysBinaryIO
    from neo.io.basefromrawio import BaseFromRaw
    from neo.rawio import OpenEphysBinaryRawIO

    # The class of neo.io has no argument for experiments, the one that it is made from has.
    reader: Any = OpenEphysBinaryIO.__new__(OpenEphysBinaryIO)
    OpenEphysBinaryRawIO.__init__(reader, dirname=str(folder), experiment_names=name)
    BaseFromRaw.__init__(reader, str(folder))
    return reader


def _number(name: str) -> int:
    digits = re.search(r"(\d+)$", name)
    return int(digits[1]) if digits else 0
