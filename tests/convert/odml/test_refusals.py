from __future__ import annotations

from typing import Any

import pytest

from gnode_orm.convert.odml import from_odml, to_odml
from gnode_orm.convert.odml.library import hang_section
from gnode_orm.errors import ValidationFailed
from gnode_orm.models import Block, Document, Property, Section, Value


@pytest.mark.case(85)
def test_values_that_disagree_have_no_odml_property_and_the_field_is_named() -> None:
    item = Property("p", section=Section(name="s", type="t", document=Document()))
    for unit in ("mV", "uV"):
        Value("1", unit=unit, property=item)
    assert item.section is not None
    with pytest.raises(
        ValidationFailed, match=r"document.sections\[0\].properties\[0\]: Value.unit: .*'mV', 'uV'.*equal"
    ) as caught:
        to_odml(item.section.document)  # type: ignore[arg-type]
    assert (caught.value.entity, caught.value.field, caught.value.value) == ("Value", "unit", ["mV", "uV"])


def test_values_that_disagree_become_properties_of_their_own_where_losses_are_listed() -> None:
    section = Section(name="s", type="t")
    item = Property("p", section=section)
    for data, unit in (("1", "mV"), (None, "s"), ("2", "uV"), ("3", "mV")):
        Value(data, unit=unit, property=item)
    losses: list[str] = []
    made = to_odml(section, losses=losses).properties
    assert [(p.name, p.values, p.unit) for p in made] == [("p", ["1", "3"], "mV"), ("p [2]", ["2"], "uV")]
    assert len({p.id for p in made}) == 2
    assert losses == [
        "Value.data: an empty value was left out (at section.properties[0].values[1])",
        "Value.unit: values that differ in it were put into properties of their own (at section.properties[0])",
    ]


def test_a_text_that_is_not_of_its_dtype_is_refused(odml: Any) -> None:
    model: Any = from_odml(odml.Property("p", [1]))
    model.values[0].data = "one"
    with pytest.raises(ValidationFailed, match=r"property.values\[0\]: Value.data: 'one' is not of dtype 'int'"):
        to_odml(model)
    losses: list[str] = []
    assert (to_odml(model, losses=losses).values, len(losses)) == (["one"], 1)


@pytest.mark.case(80)
@pytest.mark.parametrize("kind", ["sections", "properties"])
def test_siblings_of_one_name_are_refused(kind: str) -> None:
    section = Section(name="s", type="t")
    for _ in range(3):
        getattr(section, kind).append(Section(name="a", type="t") if kind == "sections" else Property("a"))
    with pytest.raises(ValidationFailed, match=rf"section.{kind}\[1\]: .*name: 'a' is taken by a sibling.*rename"):
        to_odml(section)
    losses: list[str] = []
    native = to_odml(section, losses=losses)
    assert [member.name for member in getattr(native, kind)] == ["a", "a [2]", "a [3]"]
    assert len(losses) == 1


def test_a_ring_of_sections_is_refused() -> None:
    section = Section(name="a", type="t")
    section.section = Section(name="b", type="t", section=section)
    with pytest.raises(ValidationFailed, match="stands in two places"):
        to_odml(section)


def test_an_object_in_two_places_is_refused(odml: Any) -> None:
    document, section = odml.Document(), odml.Section("a")
    hang_section(document, section)
    hang_section(document, section)
    with pytest.raises(ValidationFailed, match=r"document.sections\[1\]: .*document.sections\[0\] too.*clone"):
        from_odml(document)


@pytest.mark.parametrize(("text", "why"), [("a\x00", "NUL"), ("a\ud800", "surrogate")])
def test_text_that_no_store_holds_is_refused_with_its_place(text: str, why: str, odml: Any) -> None:
    section = odml.Section("s", definition=text)
    odml.Property("p", [text], odml.Section("t", parent=section))
    with pytest.raises(ValidationFailed, match=rf"^section: Section.definition.*{why}.*change it"):
        from_odml(section)
    section.definition = None
    with pytest.raises(ValidationFailed, match=rf"^section.sections\[0\].properties\[0\].values\[0\]: .*{why}"):
        from_odml(section)


def test_a_value_of_unknown_type_is_refused(odml: Any) -> None:
    native = odml.Property("p")
    native._values = [object()]
    with pytest.raises(ValidationFailed, match=r"property.values\[0\]: .*object"):
        from_odml(native)
    native._values = [10**5000]
    with pytest.raises(ValidationFailed, match=r"property.values\[0\]: .*digits"):
        from_odml(native)


def test_other_objects_and_other_classes_are_refused(odml: Any) -> None:
    with pytest.raises(ValidationFailed, match="str is not an odML object"):
        from_odml("x")
    with pytest.raises(ValidationFailed, match="Section becomes a Section, not a Document"):
        Document.from_odml(odml.Section("s"))
    for model in (Value("1"), Block("b")):
        with pytest.raises(ValidationFailed, match="has no odML object of its own"):
            to_odml(model)


def test_a_path_in_a_deep_tree_stays_readable(odml: Any) -> None:
    root = parent = odml.Section("s")
    for _ in range(2000):
        hang_section(parent, odml.Section("s"))
        parent = parent.sections[0]
    parent.type = "\x00"
    with pytest.raises(ValidationFailed) as caught:
        from_odml(root)
    assert len(str(caught.value)) < 600
