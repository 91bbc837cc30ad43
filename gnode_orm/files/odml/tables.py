"""odML as a table, in the layout of odMLtables: one row for each value, as CSV or as a sheet of Excel (``.xls``).

A first row may say author, date and so on of the document. Cells that would repeat those above them are empty.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gnode_orm.files.odml.elements import Element, unreadable

_DOCUMENT = "Document Information"
_PATH, _PROPERTY, _VALUE, _TYPE = "Path to Section", "Property Name", "Value", "odML Data Type"
_NEEDED = frozenset({_PATH, _PROPERTY, _VALUE, _TYPE})
# Column -> element. What the columns of one group say stands in the first row of a section, of a property.
_SECTION = {"Section Type": "type", "Section Definition": "definition"}
_OF_PROPERTY = {
    "Property Definition": "definition",
    _TYPE: "type",
    "Data Unit": "unit",
    "Data Uncertainty": "uncertainty",
}
# What odML itself calls a section whose type nobody said.
_UNTYPED = "n.s."
_KNOWN = {_PATH, _PROPERTY, _VALUE, "Section Name", *_SECTION, *_OF_PROPERTY}
_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DATES = {"date": "%Y-%m-%d", "time": "%H:%M:%S", "datetime": "%Y-%m-%d %H:%M:%S"}
_Rows = list[list[Any]]


def is_csv(head: bytes) -> bool:
    """Tell a table by the titles of its columns, in the first or second line."""
    lines = head.decode("utf-8-sig", "replace").splitlines()[:2]
    return any(_NEEDED <= {cell.strip() for cell in line.split(",")} for line in lines)


def is_excel(head: bytes, path: Path) -> bool:
    """Tell a table in a sheet of Excel by its titles; ``False`` also where xlrd is not installed."""
    if not head.startswith(_EXCEL) or path.suffix.lower() != ".xls":
        return False
    try:
        sheets = _sheets(path)
    except Exception:  # a file that another program wrote with this signature, or a broken one
        return False
    return any(_NEEDED <= {str(cell).strip() for cell in row} for rows in sheets for row in rows[:2])


def parse_csv(data: bytes, path: Path, warnings: list[str]) -> Element:
    """Read a table in CSV; say what was assumed.

    Raises:
        FormatError: no table of odML, or not text.
    """
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise unreadable(path, f"no table in UTF-8: {error}") from None
    root = Element("odml", "line 1")
    _Table(root, path).read(rows, warnings)
    return root


def parse_excel(path: Path, warnings: list[str]) -> Element:
    """Read the tables in the sheets of an Excel file; say what was assumed.

    Raises:
        FormatError: a sheet holds no table of odML.
    """
    root = Element("odml", "line 1")
    for rows in _sheets(path):
        _Table(root, path).read(rows, warnings)
    return root


class _Table:
    """One table as it is read, row by row."""

    def __init__(self, root: Element, path: Path) -> None:
        self._root = root
        self._path = path
        self._sections: dict[tuple[str, ...], Element] = {}
        # The section and property that empty cells mean.
        self._section: Element | None = None
        self._property: Element | None = None
        self._key: tuple[str, str] = ("", "")

    def read(self, rows: _Rows, warnings: list[str]) -> None:
        """Read all rows."""
        if rows and rows[0] and rows[0][0] == _DOCUMENT:
            self._read_document(rows[0])
            rows = [[], *rows[1:]]
        titles = next((row for row in rows if any(cell != "" for cell in row)), [])
        titles = [str(title).strip() for title in titles]
        if not set(titles) >= _NEEDED:
            raise unreadable(self._path, f"a table of odML has the columns {', '.join(sorted(_NEEDED))}")
        start = next(number for number, row in enumerate(rows) if any(cell != "" for cell in row)) + 1
        for number, row in enumerate(rows[start:], start + 1):
            cells = {title: cell for title, cell in zip(titles, row, strict=False) if title and cell != ""}
            if cells:
                self._read_row(cells, f"line {number}")
        untyped = [section for section in self._sections.values() if not _said(section, "type")]
        for section in untyped:
            section.members.append(Element("type", section.place, _UNTYPED))
        if untyped:
            warnings.append(f"{len(untyped)} sections have no type: {_UNTYPED!r} was assumed, as odML does")

    def _read_document(self, row: list[Any]) -> None:
        for name, value in zip(row[1::2], row[2::2], strict=False):
            if name and value != "":
                self._root.members.append(Element(str(name).strip().lower(), "line 1", _text(value, "date")))

    def _read_row(self, cells: dict[str, Any], place: str) -> None:
        path, name = str(cells.get(_PATH, "")) or self._key[0], str(cells.get(_PROPERTY, ""))
        if not path:
            raise unreadable(self._path, f"{place}: a row before the first {_PATH}")
        if path != self._key[0]:
            self._section, self._property, self._key = self._section_at(path, place), None, (path, "")
            _add(self._section, cells, _SECTION, place)
        if name and name != self._key[1]:
            self._key = (path, name)
            self._property = self._new_property(name, cells, place)
        if self._property is None:
            raise unreadable(self._path, f"{place}: a value of {path} without a {_PROPERTY}")
        for title in cells.keys() - _KNOWN:
            self._property.members.append(Element(title, place, str(cells[title])))
        if _VALUE in cells:
            self._values_of(self._property, place).append(_text(cells[_VALUE], _said(self._property, "type")))

    def _section_at(self, path: str, place: str) -> Element:
        """Find the section with this path, or make it and those above it."""
        above = self._root
        names = [name for name in path.split("/") if name]
        for depth, name in enumerate(names, 1):
            key = tuple(names[:depth])
            if key not in self._sections:
                self._sections[key] = Element("section", place, members=[Element("name", place, name)])
                above.members.append(self._sections[key])
            above = self._sections[key]
        if above is self._root:
            raise unreadable(self._path, f"{place}: {path!r} names no section")
        return above

    def _new_property(self, name: str, cells: dict[str, Any], place: str) -> Element:
        made = Element("property", place, members=[Element("name", place, name)])
        _add(made, cells, _OF_PROPERTY, place)
        assert self._section is not None
        self._section.members.append(made)
        return made

    @staticmethod
    def _values_of(property_: Element, place: str) -> list[str]:
        held = next((member for member in property_.members if member.tag == "value"), None)
        if held is None:
            held = Element("value", place, [])
            property_.members.append(held)
        values: list[str] = held.content
        return values


def _add(element: Element, cells: dict[str, Any], columns: dict[str, str], place: str) -> None:
    """Add what the cells of a row say about an element, unless an earlier row said so."""
    known = {(member.tag, member.content) for member in element.members}
    said = [(tag, str(cells[title])) for title, tag in columns.items() if title in cells]
    element.members.extend(Element(tag, place, text) for tag, text in said if (tag, text) not in known)


def _said(element: Element, tag: str) -> str:
    return next((str(member.content) for member in element.members if member.tag == tag), "")


def _text(value: Any, dtype: str) -> str:
    """The text of a cell; Excel has numbers for everything but text, and dates as times."""
    if isinstance(value, dt.datetime):
        return value.strftime(_DATES.get(dtype, _DATES["datetime"]))
    return str(int(value)) if isinstance(value, float) and value.is_integer() and dtype != "float" else str(value)


def _sheets(path: Path) -> list[_Rows]:
    """The rows of each sheet that holds anything."""
    import xlrd

    with xlrd.open_workbook(str(path), on_demand=True) as book:
        sheets = [[list(_cells(sheet.row(row), book)) for row in range(sheet.nrows)] for sheet in book.sheets()]
    return [rows for rows in sheets if rows]


def _cells(row: Any, book: Any) -> Iterator[Any]:
    import xlrd

    for cell in row:
        if cell.ctype == xlrd.XL_CELL_DATE:
            yield xlrd.xldate.xldate_as_datetime(cell.value, book.datemode)
        else:
            yield bool(cell.value) if cell.ctype == xlrd.XL_CELL_BOOLEAN else cell.value
