"""Documents that nobody thought of: any attributes, any depth and order, through a store and through files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gnode_orm import Session
from gnode_orm.convert.odml import from_odml, to_odml
from gnode_orm.convert.odml.library import hang_property, hang_section, odml_library
from gnode_orm.files.odml import read_odml, write_odml
from tests.conftest import ON_CI
from tests.convert.odml.shapes import shape, told

TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=9)
NAMES = st.text("abc/ .äβ", min_size=1, max_size=6)
CARDINALITY = st.none() | st.tuples(st.integers(0, 3), st.integers(3, 5)) | st.tuples(st.none(), st.integers(1, 2))
VALUES: list[tuple[str | None, st.SearchStrategy[Any]]] = [
    ("int", st.integers()),
    ("float", st.floats()),
    ("boolean", st.booleans()),
    ("date", st.dates()),
    ("time", st.times().map(lambda time: time.replace(microsecond=0, fold=0))),
    ("datetime", st.datetimes(min_value=dt.datetime(1000, 1, 1)).map(lambda at: at.replace(microsecond=0, fold=0))),  # noqa: DTZ001
    ("2-tuple", st.lists(st.text("xyz1", min_size=1, max_size=3), min_size=2, max_size=2)),
    ("string", st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)),
    ("text", st.text("ab\n,[]\"' ", max_size=9)),
    ("url", st.text("htp:/.", max_size=9)),
    ("person", st.text("ABc ,", max_size=9)),
]


@st.composite
def properties(draw: st.DrawFn, name: str) -> Any:
    native = odml_library().Property(name)
    native._dtype, values = draw(st.sampled_from(VALUES))
    native._values = draw(st.lists(values, max_size=4))
    native._unit, native._reference, native._value_origin = draw(TEXT), draw(TEXT), draw(TEXT)
    native._uncertainty = draw(st.none() | st.floats(0, 9) | st.just("0.25"))
    native._definition, native._dependency, native._dependency_value = draw(TEXT), draw(TEXT), draw(TEXT)
    native._val_cardinality = draw(CARDINALITY)
    return native


@st.composite
def sections(draw: st.DrawFn, depth: int) -> Any:
    native = odml_library().Section("s", "t")
    native.type, native._definition, native._reference = draw(TEXT), draw(TEXT), draw(TEXT)
    native._link, native._include, native._repository = draw(TEXT), draw(TEXT), draw(TEXT)
    native._sec_cardinality, native._prop_cardinality = draw(CARDINALITY), draw(CARDINALITY)
    for name in draw(st.lists(NAMES, max_size=3, unique=True)):
        hang_property(native, draw(properties(name)))
    _hang_sections(draw, native, depth)
    return native


@st.composite
def documents(draw: st.DrawFn) -> Any:
    native = odml_library().Document()
    native._author, native._repository = draw(TEXT), draw(TEXT)
    native._date, native._version = draw(st.none() | st.dates()), draw(TEXT | st.floats(0, 9))
    _hang_sections(draw, native, 3)
    return native


def _hang_sections(draw: st.DrawFn, native: Any, depth: int) -> None:
    for name in draw(st.lists(NAMES, max_size=3 if depth else 0, unique=True)):
        child = draw(sections(depth - 1))
        child._name = name
        hang_section(native, child)


@given(documents())
def test_every_document_comes_back_from_a_store(native: Any) -> None:
    with Session(":memory:") as session:
        model = session.add(native)
        session.commit()
        location = model.location
        session.expire_all()
        assert location is not None
        assert shape(to_odml(session.get(location))) == shape(native)


@settings(max_examples=200 if ON_CI else 50)
@given(documents(), st.sampled_from([".xml", ".json", ".yaml"]))
def test_every_document_comes_back_from_a_file_or_the_report_says_what_differs(native: Any, suffix: str) -> None:
    model: Any = from_odml(native)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"out{suffix}"
        losses = write_odml(model, path)
        again = read_odml(path).document
    assert bool(losses) == (told(again) != told(model)), losses
