"""Series of files: where large arrays are, and what those share that grew from one another.

A series is a list of files, each with some rows, and a large array is the first so many files of one. Whoever appends
to the longest array of a series adds a file to it; whoever appends to a shorter one begins a series that repeats the
files before. So a recording that grew a thousand times has a thousand rows here, not half a million.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Row, Transaction

# What no array reaches to any more.
LEFT_OVER = (
    'DELETE FROM array_part WHERE n >= (SELECT coalesce(max(parts), 0) FROM "array" '
    'WHERE "array".series = array_part.series)'
)
_COLUMNS = ("hash", "dtype", "shape", "nbytes", "series", "parts", "touched")


class Part(NamedTuple):
    """A file that holds some rows of an array."""

    file: str
    rows: int


def ends_of(parts: Iterable[Part]) -> list[int]:
    """Where each of some parts ends: how many rows stand up to there."""
    return list(accumulate(part.rows for part in parts))


def rows_by_part(ends: Sequence[int], start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Give the parts that hold some rows, and from where to where in each: ``(part, low, high)``."""
    number = bisect_right(ends, start)
    while start < stop:
        begin = ends[number - 1] if number else 0
        end = min(stop, ends[number])
        yield number, start - begin, end - begin
        start, number = end, number + 1


class Place(NamedTuple):
    """Where a large array is: the first ``parts`` files of a series."""

    series: int
    parts: int


class InFile(NamedTuple):
    """A large array with its new file.

    Attributes:
        part: the file with all its rows, or with those that were appended.
        base: the array that they were appended to, if any.
    """

    ref: ArrayRef
    part: Part
    base: bytes | None


def insert_in_files(transaction: Transaction, arrays: Iterable[InFile]) -> None:
    """Insert the rows of large arrays, whose files are there.

    Raises:
        StoreUnavailable: an array that another was appended to is gone.
    """
    rows: list[Row] = []
    for ref, part, base in arrays:
        place = _next_place(transaction, base)
        transaction.insert("array_part", ("series", "n", "file", "rows"), [(*place, *part)])
        rows.append((ref.hash, ref.dtype, ref.shape_text, ref.nbytes, place.series, place.parts + 1, now_us()))
    transaction.insert("array", _COLUMNS, rows)


def _next_place(transaction: Transaction, base: bytes | None) -> Place:
    """Where a file goes that continues an array, or begins one."""
    if base is None:
        return Place(_new_series(transaction), 0)
    place = place_of(transaction, base)
    if place is None:
        raise StoreUnavailable(f"The array {base.hex()} was removed while rows were appended to it; commit again")
    taken = transaction.query("SELECT 1 FROM array_part WHERE series = :series AND n = :parts", **place._asdict())
    if not taken:
        return place
    series = _new_series(transaction)
    transaction.run(
        "INSERT INTO array_part (series, n, file, rows) "
        "SELECT :new, n, file, rows FROM array_part WHERE series = :series AND n < :parts",
        new=series, **place._asdict(),
    )  # fmt: skip
    return Place(series, place.parts)


def _new_series(transaction: Transaction) -> int:
    ((last,),) = transaction.query("SELECT coalesce(max(series), 0) FROM array_part")
    return int(last) + 1


def place_of(transaction: Transaction, hash_: bytes) -> Place | None:
    """Find a large array; ``None`` where there is no such array, or where it stands in the database."""
    rows = transaction.query('SELECT series, parts FROM "array" WHERE hash = :hash AND pack IS NULL', hash=hash_)
    return Place(*rows[0]) if rows else None


def beginnings(transaction: Transaction, hash_: bytes) -> list[tuple[bytes, int]]:
    """Arrays with which an array that grew begins, and how many rows they have; the longest first."""
    rows = transaction.query(
        'SELECT other.hash, other.shape FROM "array" AS mine JOIN "array" AS other ON other.series = mine.series '
        "WHERE mine.hash = :hash AND other.parts < mine.parts ORDER BY other.parts DESC",
        hash=hash_,
    )
    return [(bytes(other), int(shape.partition(",")[0])) for other, shape in rows]


def files_of_use(transaction: Transaction, without: Iterable[bytes], page: int) -> set[str]:
    """The files that hold arrays, but for those of some arrays alone; read by pages of so many rows."""
    unwanted = set(without)
    length: dict[int, int] = {}
    for rows in transaction.pages('SELECT hash, series, parts FROM "array" WHERE series IS NOT NULL', page):
        for hash_, series, parts in rows:
            if parts > length.get(series, 0) and bytes(hash_) not in unwanted:
                length[series] = parts
    pages = transaction.pages("SELECT series, n, file FROM array_part", page)
    return {file for rows in pages for series, n, file in rows if n < length.get(series, 0)}
