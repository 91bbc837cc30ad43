"""odML trees to convert. odml is loaded through the package, since importing it alone changes how warnings look."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gnode_orm.convert.odml.library import odml_library


@pytest.fixture
def odml() -> Any:
    return odml_library()


@pytest.fixture
def rich(odml: Any) -> Any:
    """A document with every attribute that odml has, at least once."""
    document = odml.Document("D. N. Adams", dt.date(1979, 10, 12), 42, "http://127.0.0.1:9/terms.xml")
    document.origin_file_name = "crew.odml"
    section = odml.Section(
        "crew", "people", document, definition="all of them", reference="book", repository="http://127.0.0.1:9/x"
    )
    odml.Section("second", "n.s.", document, link="/nowhere/at/all")
    below = odml.Section("below", "n.s.", section, include="http://127.0.0.1:9/y#z")
    below._sec_cardinality, below._prop_cardinality = (1, 3), (None, 2)
    odml.Property(
        *("age", [42, 42], section, "a", 0.25, "reference", "definition", "depends", "on this"),
        value_origin="ages.csv",
        val_cardinality=(None, 2),
    )
    odml.Property("crew", ["Zaphod"], section, dtype="person")
    odml.Property("empty", None, below, unit="mV", uncertainty="0.5", dtype="float")
    return document
