"""Records as JSON: lists in the order of the schema, with hashes as hex digits and infinite numbers as words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from gnode_orm.core.changes import DeletePreview, Receipt, Stale, VersionRow
from gnode_orm.core.schema import SCHEMA, FieldType
from gnode_orm.core.select import EagerRows, Selected
from gnode_orm.wire.malformed import Malformed, member, optional, typed, whole
from gnode_orm.wire.selects import cursor_message, read_cursor

Row = tuple[Any, ...]


INFINITE = {"inf": math.inf, "-inf": -math.inf}
"""What stands in a message for numbers that JSON has no word for."""


@cache
def _places(kind: str, columns: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where hashes and where floats stand in the records (``"read"``) or rows to create (``"write"``) of a kind."""
    start = 4 if columns == "read" else 1
    hashes: list[int] = []
    floats: list[int] = []
    for field in SCHEMA[kind].fields:
        names = field.read_columns if columns == "read" else field.write_columns
        if field.type is FieldType.ARRAY:
            hashes.append(start)
        if field.type is FieldType.QUANTITY:
            floats.extend(start + place for place in (0, 2) if place < len(names))
        start += len(names)
    return tuple(hashes), tuple(floats)


def rows_message(kind: str, rows: Iterable[Row], columns: str = "read") -> list[Any]:
    """Write records or rows to create; hashes are written when the JSON is."""
    _, floats = _places(kind, columns)
    return [_without_infinity(row, floats) for row in rows] if floats else list(rows)


def _without_infinity(row: Row, floats: tuple[int, ...]) -> Any:
    for place in floats:
        if place < len(row) and isinstance(row[place], float) and not math.isfinite(row[place]):
            return [repr(item) if n in floats and isinstance(item, float) else item for n, item in enumerate(row)]
    return row


def read_rows(kind: str, message: Any, columns: str = "read") -> list[Row]:
    """Read records or rows to create as the other side wrote them.

    Raises:
        Malformed: what stands there is no list of rows.
    """
    hashes, floats = _places(kind, columns)
    return [_read_row(row, hashes, floats) for row in typed(message, list, f"Rows of {kind}")]


def _read_row(row: Any, hashes: tuple[int, ...], floats: tuple[int, ...]) -> Row:
    values = typed(row, list, "A row")
    try:
        for place in hashes:
            if values[place] is not None:
                values[place] = bytes.fromhex(values[place])
        for place in floats:
            if type(values[place]) is str:
                values[place] = INFINITE[values[place]]
    except (TypeError, ValueError, KeyError):
        raise Malformed("A row holds text where a hash or a number belongs") from None
    except IndexError:
        pass  # too short: whoever takes the row says what is missing
    return tuple(values)


def selected_message(answer: Selected, *, names: int | None = None) -> dict[str, Any]:
    """Write the answer to a query; of each of ``names`` records or more of a kind its id and revision alone."""

    def written(kind: str, rows: list[Row]) -> list[Any]:
        return rows_message(kind, rows) if names is None or len(rows) < names else [row[:2] for row in rows]

    return {
        "kind": answer.kind,
        "rows": written(answer.kind, answer.rows),
        "eager": [[item.path, item.kind, written(item.kind, item.rows), item.links] for item in answer.eager],
        "cursor": None if answer.cursor is None else cursor_message(answer.cursor),
    }


def read_selected(message: Any) -> Selected:
    """Read the answer to a query."""
    kind = member(message, "kind", str)
    cursor = message.get("cursor")
    eager = [
        EagerRows(path, of, read_rows(of, rows), None if links is None else read_pairs(links))
        for path, of, rows, links in member(message, "eager", list)
    ]
    rows = read_rows(kind, message.get("rows"))
    return Selected(kind, rows, eager, None if cursor is None else read_cursor(cursor))


def read_pairs(message: Any) -> list[tuple[int, int]]:
    """Read pairs of ids."""
    return [(whole(a, "An id"), whole(b, "An id")) for a, b in typed(message, list, "Pairs")]


def receipt_message(receipt: Receipt) -> dict[str, Any]:
    """Write the receipt of a change set."""
    return {
        "id": receipt.id,
        "version": receipt.version,
        "user": receipt.user,
        "message": receipt.message,
        "attempt": receipt.attempt,
    }


def read_receipt(message: Any) -> Receipt:
    """Read the receipt of a change set."""
    version = whole(message.get("version"), "A version") if isinstance(message, dict) else 0
    return Receipt(
        member(message, "id", str), version, member(message, "user", str), message.get("message"),
        attempt=optional(message, "attempt", str) or "",
    )  # fmt: skip


def preview_message(preview: DeletePreview) -> dict[str, Any]:
    """Write what deleting an object would touch."""
    return {
        "children": preview.children,
        "unlinked": preview.unlinked,
        "owners": preview.owners,
        "state": preview.state,
    }


def read_preview(message: Any) -> DeletePreview:
    """Read what deleting an object would touch.

    Raises:
        Malformed: counts that are none.
    """
    counts = [member(message, name, dict) for name in ("children", "unlinked", "owners")]
    for count in counts:
        for number in count.values():
            whole(number, "A count")
    return DeletePreview(counts[0], counts[1], counts[2], member(message, "state", str))


def history_message(kind: str, versions: Sequence[VersionRow]) -> list[Any]:
    """Write the versions of an object."""
    return [
        [
            item.commit,
            item.version,
            item.user,
            item.message,
            _row_or_none(kind, item.row),
        ]
        for item in versions
    ]


def _row_or_none(kind: str, row: Row | None) -> Any:
    return None if row is None else rows_message(kind, [row])[0]


def read_history(kind: str, message: Any) -> list[VersionRow]:
    """Read the versions of an object."""
    return [
        VersionRow(commit, version, user, text, None if row is None else read_rows(kind, [row])[0])
        for commit, version, user, text, row in typed(message, list, "Versions")
    ]


def stale_message(stale: Sequence[Stale]) -> list[Any]:
    """Write what is no longer as a change set assumed."""
    return [
        [
            item.kind,
            item.id,
            item.base,
            _row_or_none(item.kind, item.row),
            item.user,
            item.version,
        ]
        for item in stale
    ]


def read_stale(message: Any) -> list[Stale]:
    """Read what is no longer as a change set assumed."""
    return [
        Stale(kind, id_, base, None if row is None else read_rows(kind, [row])[0], user, version)
        for kind, id_, base, row, user, version in typed(message, list, "Stale objects")
    ]
