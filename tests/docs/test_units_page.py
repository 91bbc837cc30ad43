"""The page of units says what the grammar of units does."""

from __future__ import annotations

import pytest

from gnode_orm.core.schema import SCHEMA, FieldType
from gnode_orm.errors import UnitError
from gnode_orm.models import MODELS
from gnode_orm.units import unit_of
from tests.docs.pages import ROOT, table_under

PAGE = ROOT / "docs/reference/units.md"


def plain(cell: str) -> str:
    return cell.replace("\\*", "*").strip("`")


@pytest.mark.parametrize("row", table_under(PAGE, "What is accepted"), ids=lambda row: plain(row[0]))
def test_accepted_units_are_kept_as_the_page_says(row: list[str]) -> None:
    text, kept, dimension = map(plain, row)
    unit = unit_of(text)
    assert (unit.text, unit.dimension) == (kept, dimension)


@pytest.mark.parametrize("row", table_under(PAGE, "What is refused"), ids=lambda row: plain(row[0]))
def test_refused_units_are_refused_and_their_replacements_are_not(row: list[str]) -> None:
    with pytest.raises(UnitError):
        unit_of(plain(row[0]))
    for word in row[2].split("`")[1:2]:
        unit_of(word)


def test_fields_that_want_a_dimension_are_those_of_the_schema() -> None:
    wanted: dict[str | None, set[str]] = {}
    assert MODELS
    for spec in SCHEMA.values():
        for field in spec.fields:
            if field.dimension is not None or field.type is FieldType.ARRAY:
                wanted.setdefault(field.dimension, set()).add(field.name)
    listed = [set(row[0].replace("`", "").split(", ")) for row in table_under(PAGE, "Fields that want a dimension")]
    assert listed == [wanted["s"], wanted["1/s"], wanted[None] - {"labels"}]
