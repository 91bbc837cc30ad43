"""Extremes of long arrays, kept beside their files so that an overview reads kilobytes.

A level holds the minimum and the maximum of every ``factor`` rows. Levels are made at first use, named by the content
of the array, and safe to lose: they are made again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.overview import FACTORS
from gnode_orm.stores.local.array_files import ArrayFiles, StoredArray

Array = npt.NDArray[Any]


def level(
    files: ArrayFiles, stem: str, array: StoredArray, rows: int, factor: int,
    beginnings: Callable[[], Iterable[tuple[str, int]]],
) -> Array:  # fmt: skip
    """Give one level, shape (2, blocks, ...): minimum and maximum; all levels are made where it is not there.

    Args:
        files: where the levels are kept.
        stem: name of the array's file without its suffix.
        array: the array itself.
        rows: how long it is.
        factor: rows in each block; one of ``FACTORS``.
        beginnings: gives stem and rows of arrays with which this one begins, the longest first. Where one has its
            levels, only what comes behind is read.
    """
    found = _kept(files, stem, rows, factor)
    if found is not None:
        return found
    begun = next((start for item in beginnings() if (start := _begun(files, *item)) is not None), None)
    levels = _levels(array, begun)
    for number, extremes in levels.items():
        # A lab that cannot be written makes them anew each time.
        with contextlib.suppress(OSError):
            files.save(_name(stem, number), extremes, synced=True)
    return levels[factor]


def _name(stem: str, factor: int) -> str:
    return f"{stem}.minmax-{factor}.npy"


def _kept(files: ArrayFiles, stem: str, rows: int, factor: int) -> Array | None:
    found = files.load(_name(stem, factor))
    return found if found is not None and found.shape[:2] == (2, -(-rows // factor)) else None


def _begun(files: ArrayFiles, stem: str, rows: int) -> Array | None:
    """The whole blocks of the finest level of an array with which a longer one begins."""
    found = _kept(files, stem, rows, FACTORS[0])
    return None if found is None else found[:, : rows // FACTORS[0]]


def _levels(array: StoredArray, begun: Array | None) -> dict[int, Array]:
    finest = FACTORS[0]
    blocks = [] if begun is None else [begun]
    rest: Array | None = None
    for piece in array.rows_from(sum(part.shape[1] for part in blocks) * finest):
        # Cut small enough to stay in the processor's cache, and in whole blocks.
        step = max(1, (1 << 20) // max(1, piece[:1].nbytes) // finest) * finest
        for start in range(0, len(piece), step):
            part = piece[start : start + step]
            part = part if rest is None else np.concatenate([rest, part])
            whole = len(part) // finest * finest
            rest = part[whole:] if whole < len(part) else None
            blocks.append(_extremes(part[:whole], finest))
    if rest is not None:
        blocks.append(np.stack([rest.min(0, keepdims=True), rest.max(0, keepdims=True)]))
    levels = {finest: np.concatenate(blocks, axis=1)}
    for below, factor in pairwise(FACTORS):
        levels[factor] = _coarser(levels[below], factor // below)
    return levels


def _extremes(rows: Array, factor: int) -> Array:
    blocks = rows.reshape(-1, factor, *rows.shape[1:])
    return np.stack([blocks.min(1), blocks.max(1)])


def _coarser(extremes: Array, factor: int) -> Array:
    starts = np.arange(0, extremes.shape[1], factor)
    return np.stack([np.minimum.reduceat(extremes[0], starts), np.maximum.reduceat(extremes[1], starts)])
