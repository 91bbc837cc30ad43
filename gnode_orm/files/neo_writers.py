"""The writers of neo, each given a block that it can write: what it would stumble over is left out or renamed.

The block is a copy made for the file, so it may be changed; whoever calls compares what was written with the original.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import numpy as np

from gnode_orm.errors import ValidationFailed

_NIX_SCALARS = (str, bool, int, float, np.bool_, np.integer, np.floating, dt.date, dt.time)


def write_nix(block: Any, path: str) -> None:
    """Write NIX, without the annotations that it has no type for."""
    from neo.io import NixIO

    for item in _everything(block):
        item.annotations = {name: value for name, value in item.annotations.items() if name and _fits_nix(value)}
    with NixIO(path, mode="ow") as file:
        file.write_block(block)
        written = file.nix_file.blocks[block.annotations["nix_name"]]
        for native, kept in [
            (block, written),
            *((segment, written.groups[segment.annotations["nix_name"]]) for segment in block.segments),
        ]:
            if native.rec_datetime is None:
                kept.force_created_at(0)


def write_matlab(block: Any, path: str) -> None:
    """Write a file of MATLAB."""
    from neo.io import NeoMatlabIO

    NeoMatlabIO(path).write_block(block)


def write_pickle(block: Any, path: str) -> None:
    """Write a pickle."""
    from neo.io import PickleIO

    PickleIO(path).write_block(block)


def write_nwb(block: Any, path: str) -> None:
    """Write NWB, where names hold no colon and no slash, and epochs are the rows of a table.

    Raises:
        ValidationFailed: the block has no time of recording.
    """
    from neo.io import NWBIO

    if block.rec_datetime is None:
        raise ValidationFailed("NWB needs the time of recording; set Block.rec_datetime first", field="rec_datetime")
    for item in _everything(block):
        if item.name is not None:
            item.name = item.name.replace("/", "_").replace(":", "_")
    for segment in block.segments:
        # A table of intervals needs one.
        segment.epochs = [epoch for epoch in segment.epochs if len(epoch)]
    block.annotations["session_start_time"] = block.rec_datetime
    block.annotations.setdefault("identifier", uuid4().hex)
    block.annotations.setdefault("session_description", block.description or block.name or "recording")
    NWBIO(path, mode="w").write_block(block)


def _everything(block: Any) -> Iterator[Any]:
    """Give each object of a block once."""
    yield from {id(item): item for item in (block, *block.children_recur)}.values()


def _fits_nix(value: Any) -> bool:
    """Whether NIX has a type for an annotation: one value, or a list of values of one type that are not lists."""
    if isinstance(value, np.ndarray):
        return value.ndim <= 1 and value.dtype.kind in "biufU"
    if isinstance(value, list | tuple):
        return len({type(item) for item in value}) == 1 and isinstance(value[0], str | bool | int | float)
    if isinstance(value, bytes):
        return value.isascii()
    return isinstance(value, _NIX_SCALARS) and not (isinstance(value, int) and abs(value) >= 2**63)
