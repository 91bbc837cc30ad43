"""Tables in the layout of odMLtables."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from gnode_orm import Session
from gnode_orm.errors import FormatError
from gnode_orm.files.odml import is_odml, read_odml
from gnode_orm.models import Document
from tests.files.odml.walking import properties, sections

ROWS: list[list[Any]] = [
    ["Document Information", "author", "Ada", "version", "3"],
    ["Path to Section", "Section Type", "Property Name", "Value", "Data Unit", "odML Data Type", "Colour"],
    ["/Rat/Surgery", "surgery", "Drugs", "a, b", "mg", "string", ""],
    ["", "", "", "c", "", "", ""],
    ["", "", "Date", "2020-01-02", "", "date", "red"],
    ["/Rat", "animal", "Weight", "1.5", "kg", "float", ""],
]


def told(document: Document) -> list[tuple[Any, ...]]:
    return [
        (item.section and item.section.name, item.name, item.ext["dtype"], [(v.data, v.unit) for v in item.values])
        for item in properties(document)
    ]


TOLD = [
    ("Rat", "Weight", "float", [("1.5", "kg")]),
    ("Surgery", "Drugs", "string", [("a, b", "mg"), ("c", "mg")]),
    ("Surgery", "Date", "date", [("2020-01-02", None)]),
]


def as_csv(path: Path, rows: list[list[Any]]) -> Path:
    path.write_text("\n".join(",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows))
    return path


def test_a_table_becomes_sections_properties_and_values(tmp_path: Path) -> None:
    file = read_odml(as_csv(tmp_path / "table.csv", ROWS))
    assert told(file.document) == TOLD
    assert (file.document.author, file.document.version) == ("Ada", "3")
    assert [(section.name, section.type) for _, section in sections(file.document)] == [
        ("Rat", "animal"),
        ("Surgery", "surgery"),
    ]
    assert file.warnings == ["line 5: <Colour> in <property> is not odML and was left out ('red')"]


@pytest.mark.skipif(importlib.util.find_spec("xlrd") is None, reason="needs xlrd")
def test_a_sheet_of_excel_says_the_same(tmp_path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    sheet = book.add_sheet("metadata")
    typed = {"1.5": 1.5, "2020-01-02": dt.date(2020, 1, 2)}
    for row, cells in enumerate(ROWS):
        for column, cell in enumerate(cells):
            style = xlwt.easyxf(num_format_str="YYYY-MM-DD") if "2020" in cell else xlwt.Style.default_style
            sheet.write(row, column, typed.get(cell, cell), style)
    book.save(str(tmp_path / "table.xls"))
    assert told(read_odml(tmp_path / "table.xls").document) == TOLD


def test_the_sample_table_is_read_whole(data: Path) -> None:
    path = data / "odmltables-csv" / "example1-2.csv"
    file = read_odml(path)
    assert len(properties(file.document)) == 13
    assert file.warnings == ["2 sections have no type: 'n.s.' was assumed, as odML does"]
    walked = [(depth, section.name) for depth, section in sections(file.document)]
    assert walked == [(walked[0][0], "Animal"), (walked[0][0] + 1, "Surgery")]
    weight = next(item for item in properties(file.document) if item.name == "Weight")
    assert (weight.definition, weight.ext["unit"], weight.values) == ("Weight of the animal", "g", [])


def test_the_sample_table_is_imported(data: Path, tmp_path: Path) -> None:
    with Session(tmp_path / "lab") as session:
        (document,) = session.import_file(data / "odmltables-csv" / "example1-2.csv").documents
        assert [section.type for section in document.sections] == ["n.s."]


def test_a_table_is_imported_as_a_document(tmp_path: Path) -> None:
    with Session(tmp_path / "lab") as session:
        (document,) = session.import_file(as_csv(tmp_path / "table.csv", ROWS)).documents
        assert [section.name for section in document.sections] == ["Rat"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["", "", "Drugs", "a", "", "", ""], "line 3: a row before the first Path to Section"),
        (["/Rat", "", "", "a", "", "", ""], "line 3: a value of /Rat without a Property Name"),
        (["/", "", "Drugs", "a", "", "", ""], "line 3: '/' names no section"),
    ],
)
def test_a_row_that_says_no_place_is_refused(row: list[str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=reason):
        read_odml(as_csv(tmp_path / "table.csv", [*ROWS[:2], row]))


def test_a_table_of_numbers_is_not_odml(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("time,Value\n0,1\n1,2\n")
    assert not is_odml(path)


def test_other_files_that_excel_writes_are_not_odml(tmp_path: Path) -> None:
    path = tmp_path / "old.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert not is_odml(path)
