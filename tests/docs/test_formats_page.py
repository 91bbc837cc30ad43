"""The page of formats names every reader of neo, and says truly how each is tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gnode_orm.files.readers import reader_names
from gnode_orm.files.recognition import _BY_NAME_ONLY
from gnode_orm.files.requirements import what_is_needed
from tests.files.formats import SAMPLES
from tests.files.sample_sets import READ_BY_NEO, READ_BY_OTHERS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "formats.md"
NAME = re.compile(r"(?P<asked>\*?)`(?P<name>\w+)`\*?")
# The folder of the sample is refused by neo; its file is tried in tests/files/test_ncs_reader.py.
RECORDED = {*READ_BY_NEO.values(), *READ_BY_OTHERS.values(), "pyabf", "ncs"}
# Its older formats are refused by their first bytes.
REFUSED = {*what_is_needed(), "ElphyIO"}


def rows() -> dict[str, tuple[bool, str, str]]:
    """What the table says of each reader: whether it has to be asked for, what it needs, how it is tried."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        match = NAME.fullmatch(cells[2]) if len(cells) == 5 else None
        if match is not None:
            assert match["name"] not in found, f"{match['name']} stands twice"
            found[match["name"]] = (bool(match["asked"]), cells[3], cells[4])
    return found


def test_every_reader_has_a_row_and_every_row_a_reader() -> None:
    assert rows().keys() == set(reader_names())


def test_every_raw_reader_of_neo_has_a_reader_in_the_table() -> None:
    from neo.rawio import rawiolist

    names = {reader.__name__.removesuffix("RawIO").upper() for reader in rawiolist}
    assert names <= {name.removesuffix("IO").upper() for name in rows()}


def test_readers_in_italics_are_those_that_have_to_be_asked_for() -> None:
    by_option = {"TiffIO", "BlkIO", "AsciiImageIO"}
    tried_by_content = {"AsciiSignalIO", "StimfitIO"}
    assert {name for name, row in rows().items() if row[0]} == (_BY_NAME_ONLY | by_option) - tried_by_content


@pytest.mark.parametrize("name", sorted(rows()))
def test_what_is_said_of_the_tests_is_true(name: str) -> None:
    _, needs, tried = rows()[name]
    assert {
        "recording": name in RECORDED,
        "small file": name in SAMPLES,
        "refused": name in REFUSED and bool(needs),
        "not a format": name == "ExampleIO",
    }[tried]
