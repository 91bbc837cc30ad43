"""Small arrays in files, put together to the runs of bytes that are fetched at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gnode_orm.stores.local.array_files import Packed

# Waiting for one more answer takes as long as so many bytes between two arrays.
_GAP = 256 << 10
_RUN = 8 << 20


@dataclass
class PackedRun:
    """Bytes of one file, from the first of some arrays to the end of the last one.

    Attributes:
        members: the numbers of these arrays.
    """

    file: str
    size: int
    start: int
    stop: int
    members: list[int]

    def takes(self, place: Packed) -> bool:
        """Tell whether an array is close enough to go with the others."""
        near = place.file == self.file and place.start - self.stop <= _GAP
        return near and place.start + place.nbytes - self.start <= _RUN


def runs_of(wanted: Sequence[Packed]) -> list[PackedRun]:
    """Put places together that are close to one another."""
    runs: list[PackedRun] = []
    for number in sorted(range(len(wanted)), key=wanted.__getitem__):
        place = wanted[number]
        if not runs or not runs[-1].takes(place):
            runs.append(PackedRun(place.file, place.size, place.start, place.start, []))
        runs[-1].stop = max(runs[-1].stop, place.start + place.nbytes)
        runs[-1].members.append(number)
    return runs
