from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.convert.odml import convert, from_odml, to_odml
from gnode_orm.convert.odml.library import hang_section, odml_library
from gnode_orm.models import Document, Property, Section, Value
from tests.convert.odml.shapes import shape, told


def values_model(**said: Any) -> Any:
    return from_odml(odml_library().Property("p", **said))


@pytest.mark.case(79, 84)
def test_every_attribute_and_id_comes_back(rich: Any) -> None:
    model = Document.from_odml(rich)
    assert shape(model.to_odml()) == shape(rich)


def test_fields_say_what_odml_says(rich: Any) -> None:
    document = Document.from_odml(rich)
    section, linked = document.sections
    assert (document.author, document.date, document.version) == ("D. N. Adams", dt.date(1979, 10, 12), "42")
    assert (section.name, section.type, section.definition, section.tree_position) == (
        *("crew", "people", "all of them"),
        0,
    )
    assert (linked.link, linked.tree_position) == ("/nowhere/at/all", 1)
    assert section.sections[0].include == "http://127.0.0.1:9/y#z"
    age = section.properties[0]
    assert (age.dependency, age.dependencyvalue, age.ext["dtype"]) == ("depends", "on this", "int")
    said = [(v.data, v.unit, v.uncertainty, v.reference, v.filename) for v in age.values]
    assert said == [("42", "a", "0.25", "reference", "ages.csv")] * 2


@pytest.mark.case(73, 74, 75, 76)
@pytest.mark.parametrize(
    ("values", "dtype", "texts"),
    [
        ([1, 2, 2, 1], None, ["1", "2", "2", "1"]),
        ([10**300], None, [str(10**300)]),
        ([1.5, math.nan, -0.0, math.inf, 5e-324], None, ["1.5", "nan", "-0.0", "inf", "5e-324"]),
        ([True, False], None, ["true", "false"]),
        ([dt.date(2014, 3, 21)], None, ["2014-03-21"]),
        ([dt.time(10, 30, 5)], None, ["10:30:05"]),
        ([dt.datetime.fromisoformat("2014-03-21 10:30")], None, ["2014-03-21 10:30:00"]),
        (["(1;2)", "(3; 4)"], "2-tuple", ["(1;2)", "(3;4)"]),
        (["[a]", "a,b", " lead ", 'say "x"', "\x01\t", "β" * 200_000], None, None),
        (["line\nbreak"], None, ["line\nbreak"]),
        (["http://x"], "URL", ["http://x"]),
        ([None], None, [""]),
        ([""], None, [""]),
        ([1, 2.5], None, ["1", "2"]),
        ([], None, []),
        (None, "int", []),
        ([None], "2-tuple", [None]),
    ],
)
def test_values_are_text_by_dtype_and_come_back(values: Any, dtype: str | None, texts: list[str] | None) -> None:
    native = odml_library().Property("p", values, dtype=dtype)
    model = from_odml(native)
    assert isinstance(model, Property)
    assert [value.data for value in model.values] == (values if texts is None else texts)
    assert shape(to_odml(model)) == shape(native)


@pytest.mark.case(73, 74, 76, 77)
@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([None, "", "x"], "string"),
        ([1.5, "1.5", 1, True, None], "string"),
        ([dt.datetime(2014, 3, 21, 10, tzinfo=dt.timezone(dt.timedelta(hours=5.5)))], "datetime"),
        ([dt.datetime.fromisoformat("2014-03-21 10:00:00.000007")], "datetime"),
        ([["a;b", " c"], ["1", 2]], "2-tuple"),
        ([None], "int"),
        (["x"], None),
    ],
)
def test_values_that_text_cannot_say_stay_exact(values: list[Any], dtype: str | None) -> None:
    native = odml_library().Property("p")
    native._values, native._dtype = values, dtype
    assert shape(to_odml(from_odml(native))) == shape(native)


def test_an_exact_value_gives_way_to_an_edit() -> None:
    native = odml_library().Property("p", ["1"], uncertainty=0.25)
    native._values = [1.5]
    model: Any = from_odml(native)
    model.values[0].data, model.values[0].uncertainty = "2.5", "0.5"
    back = to_odml(model)
    assert (back.values, back.uncertainty) == (["2.5"], "0.5")


@pytest.mark.case(83)
def test_text_and_number_uncertainties_are_told_apart() -> None:
    kept = [to_odml(values_model(values=[1], uncertainty=given)).uncertainty for given in ("0.25", 0.25, 0, None)]
    assert list(map(repr, kept)) == ["'0.25'", "0.25", "0", "None"]


@given(
    st.one_of(
        st.lists(st.integers()),
        st.lists(st.floats()),
        st.lists(st.booleans()),
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))),
        st.lists(st.dates()),
        st.lists(st.datetimes(min_value=dt.datetime(1000, 1, 1))),  # noqa: DTZ001
        st.lists(st.times()),
        st.lists(st.one_of(st.none(), st.integers(), st.floats(), st.text("ab();,[] ", max_size=4))),
    ),
    st.sampled_from([None, "string", "text", "int", "float", "boolean", "date", "time", "datetime", "1-tuple"]),
    st.sampled_from([None, "mV", ""]),
    st.one_of(st.none(), st.floats(), st.text("0.1")),
)
def test_any_values_come_back(values: list[Any], dtype: str | None, unit: str | None, uncertainty: Any) -> None:
    native = odml_library().Property("p")
    native._values, native._dtype, native._unit, native._uncertainty = values, dtype, unit, uncertainty
    model = from_odml(native)
    assert shape(to_odml(model)) == shape(native)
    before = told(model)
    convert(native, {id(native): model})
    assert told(model) == before


@pytest.mark.case(78)
def test_20000_nested_sections_come_back(odml: Any) -> None:
    document = parent = odml.Document()
    for number in range(20_000):
        section = odml.Section(f"s{number}")
        hang_section(parent, section)
        parent = section
    odml.Property("last", [1], parent)
    model = from_odml(document)
    assert shape(to_odml(model)) == shape(document)


@pytest.mark.case(81)
def test_order_and_repeated_names_of_another_kind_come_back(odml: Any) -> None:
    section = odml.Section("s")
    for name in "cab":
        odml.Property(name, [name], section)
        odml.Section(name, parent=section)
    model = Section.from_odml(section)
    assert [item.name for item in model.properties] == [item.name for item in model.sections] == list("cab")
    assert shape(to_odml(model)) == shape(section)


@pytest.mark.case(82)
def test_names_with_a_slash_and_unnamed_objects_come_back(odml: Any) -> None:
    section = odml.Section("a/b")
    odml.Property("", [1], section)
    assert shape(to_odml(from_odml(section))) == shape(section)


def test_a_resolved_link_is_written_as_the_link_alone(odml: Any) -> None:
    document = odml.Document()
    target = odml.Section("target", parent=document)
    odml.Property("shared", [1], target)
    odml.Section("deep", parent=target)
    linking = odml.Section("linking", parent=document)
    odml.Property("own", [2], linking)
    linking.link = "/target"
    assert [item.name for item in linking.properties] == ["own", "shared"]
    back = to_odml(from_odml(document)).sections["linking"]
    assert (back.link, [p.name for p in back.properties], list(back.sections)) == ("/target", ["own"], [])


@pytest.mark.case(86)
def test_ids_of_the_server_never_become_odml_ids() -> None:
    native = to_odml(Section(name="s", type="t"))
    assert len(native.id) == 36


def test_a_model_made_by_hand_becomes_odml() -> None:
    document = Document("me")
    item = Property("p", section=Section(name="s", type="t", document=document))
    for text in ("1", "2"):
        Value(text, unit="mV", property=item)
    native = document.to_odml().sections[0].properties["p"]
    assert (native.values, native.dtype, native.unit) == (["1", "2"], "string", "mV")
