from __future__ import annotations

from typing import Any

from gnode_orm.convert.odml import convert, to_odml
from gnode_orm.core.entity import Entity
from gnode_orm.models import Document, Property, Section, Value
from tests.convert.odml.shapes import shape, told


def known(pairs: list[tuple[Any, Entity]]) -> dict[int, Entity]:
    return {id(native): model for native, model in pairs}


def test_an_unchanged_object_changes_nothing(rich: Any) -> None:
    first = convert(rich)
    before = told(first.model)
    again = convert(rich, known(first.pairs))
    assert again.model is first.model
    assert again.removed == []
    assert told(first.model) == before


def test_an_object_made_from_models_changes_nothing_but_the_ids() -> None:
    document = Document("me", version="1")
    section = Section(name=None, type="t", document=document, mapping="m", is_template=True)
    item = Property("p", section=section, mapping="n")
    for data, definition in ((None, "empty"), ("1", "first"), ("2", None)):
        Value(data, property=item, unit="mV" if data else None, definition=definition, encoder="e")
    before = [[fact[2].partition("'ext'")[0] for fact in told(document)]]
    native = to_odml(document)
    models = {id(native): document, id(native.sections[0]): section, id(native.sections[0].properties[0]): item}
    convert(native, models)
    assert [[fact[2].partition("'ext'")[0] for fact in told(document)]] == before
    assert section.ext["oid"] == native.sections[0].id


def test_edits_reach_the_same_models(rich: Any) -> None:
    first = convert(rich)
    section, age = rich.sections[0], rich.sections[0].properties["age"]
    values = list(first.model.sections[0].properties[0].values)  # type: ignore[attr-defined]
    section.name, section.definition = "renamed", None
    age.values, age.unit = [43, 42, 7], "years"
    model: Any = convert(rich, known(first.pairs)).model
    assert model is first.model
    assert (model.sections[0].name, model.sections[0].definition) == ("renamed", None)
    item = model.sections[0].properties[0]
    assert [(v.data, v.unit, v.uncertainty) for v in item.values] == [
        ("43", "years", "0.25"),
        ("42", "years", "0.25"),
        ("7", "years", "0.25"),
    ]
    assert list(item.values)[:2] == values
    assert shape(to_odml(model)) == shape(rich)


def test_what_the_object_no_longer_has_is_taken_out(rich: Any) -> None:
    first = convert(rich)
    section = rich.sections[0]
    gone = section.properties["crew"]
    section.remove(gone)
    section.properties["age"].values = [42]
    again: Any = convert(rich, known(first.pairs))
    taken = known(first.pairs)[id(gone)]
    assert taken in again.removed
    assert [(type(model).__name__) for model in again.removed] == ["Value", "Property"]
    assert getattr(taken, "section") is None  # noqa: B009
    assert shape(to_odml(again.model)) == shape(rich)


def test_a_section_that_moved_keeps_its_model(rich: Any) -> None:
    first = convert(rich)
    moved = rich.sections[1]
    model: Any = known(first.pairs)[id(moved)]
    moved.parent = rich.sections[0]
    again: Any = convert(rich, known(first.pairs))
    assert again.removed == []
    assert (model.document, model.section) == (None, again.model.sections[0])
    assert shape(to_odml(again.model)) == shape(rich)


def test_a_new_order_is_kept(rich: Any, odml: Any) -> None:
    first = convert(rich)
    odml.Property("new", [1], rich.sections[0])
    rich.sections[0].properties[-1].reorder(0)
    rich.sections[1].reorder(0)
    again: Any = convert(rich, known(first.pairs)).model
    assert shape(to_odml(again)) == shape(rich)


def test_another_dtype_is_taken_over(odml: Any) -> None:
    native = odml.Property("p", [1, 0], oid=None)
    first = convert(native)
    native.dtype = "boolean"
    model: Any = convert(native, known(first.pairs)).model
    assert ([value.data for value in model.values], model.ext["dtype"]) == (["true", "false"], "boolean")


def test_a_unit_without_values_is_kept_and_moves_to_the_values(odml: Any) -> None:
    native = odml.Property("p", unit="mV", dtype="int")
    first = convert(native)
    native.values = [1]
    model: Any = convert(native, known(first.pairs)).model
    assert [(value.data, value.unit) for value in model.values] == [("1", "mV")]
    native.values = []
    model = convert(native, known(first.pairs)).model
    assert (list(model.values), to_odml(model).unit) == ([], "mV")


def test_fields_without_a_place_in_odml_stay(rich: Any) -> None:
    first: Any = convert(rich)
    section = first.model.sections[0]
    section.mapping, section.is_template = "mapped", True
    section.properties[0].values[0].checksum = "crc32$0"
    rich.sections[0].definition = "new"
    convert(rich, known(first.pairs))
    assert (section.mapping, section.is_template, section.properties[0].values[0].checksum) == (
        *("mapped", True),
        "crc32$0",
    )
