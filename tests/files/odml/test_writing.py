from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.convert.odml.library import odml_library
from gnode_orm.errors import ValidationFailed
from gnode_orm.files.odml import read_odml, write_odml
from gnode_orm.files.odml.value_lists import join_values, split_values
from gnode_orm.models import Document, Property, Section, Value
from tests.convert.odml.shapes import shape, told
from tests.files.odml.walking import values

SUFFIXES = [".xml", ".odml", ".json", ".yaml", ".yml"]


def document_of(*texts: str | None, dtype: str | None = None, **said: Any) -> Document:
    document = Document("me")
    item = Property("p", section=Section(name="s", type="t", document=document))
    if dtype is not None:
        item._set_ext({"v": 1, "dtype": dtype})
    for text in texts:
        Value(text, property=item, **said)
    return document


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("texts", "dtype"),
    [
        (["[a]", "a,b", " lead ", 'say "x"', "", "line\nbreak\r\n", "\t", "β🧠"], "string"),
        (["[a]"], "string"),
        ([""], "string"),
        (["x" * 100_000, '"'], "text"),
        (["nan", "-0.0", "inf", "5e-324", "0.1"], "float"),
        ([str(10**300)], "int"),
        (["true", "false"], "boolean"),
        (["2014-03-21"], "date"),
        (["10:30:00"], "time"),
        (["2014-03-21 10:30:00"], "datetime"),
        (["(1;2)", "(a b;c)"], "2-tuple"),
        ([], "float"),
    ],
)
def test_values_come_back_from_every_form(texts: list[str], dtype: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    document = document_of(*texts, dtype=dtype, unit="mV", uncertainty="0")
    assert write_odml(document, path) == []
    back = read_odml(path)
    assert [(value.data, value.unit, value.uncertainty) for value in values(back.document)] == [
        (text, "mV", "0") for text in texts
    ]
    assert back.document.sections[0].properties[0].ext["dtype"] == dtype
    form = {".json": "JSON", ".yaml": "YAML", ".yml": "YAML"}.get(suffix, "XML")
    theirs = odml_library().load(str(path), form, show_warnings=False).sections[0].properties[0]
    ours = document.to_odml().sections[0].properties[0]
    assert [(depth, repr(theirs.values)) for depth, _, _ in shape(theirs)] == [(0, repr(ours.values))]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"))))
def test_any_list_of_values_can_be_told_apart(texts: list[str]) -> None:
    assert split_values(join_values(texts)) == texts


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_texts_types_and_ids_are_written_as_they_are_said(suffix: str, tmp_path: Path) -> None:
    document = Document("me")
    section = Section(name="s", type="t", document=document)
    texts = {"float": ["750", "7.50", "1e3", "NaN"], "int": ["007", "1.0"], "boolean": ["TRUE", "f"], None: ["42", "x"]}
    for dtype, written in texts.items():
        item = Property(f"p {dtype}", section=section)
        item._set_ext({"v": 1, "position": len(section.properties) - 1, **({"dtype": dtype} if dtype else {})})
        for text in written:
            Value(text, unit="mV", property=item)
    for model in (document, section):
        model._set_ext({"v": 1})  # as readers leave it
    assert write_odml(document, tmp_path / f"out{suffix}") == []
    assert told(read_odml(tmp_path / f"out{suffix}").document) == told(document)


def test_a_name_that_odml_demands_is_told(tmp_path: Path) -> None:
    document = Document("me")
    Section(name=None, type="t", document=document)
    (loss,) = write_odml(document, tmp_path / "out.json")
    assert loss.startswith("Section.name: odML demands one, so the id was written")


def test_what_a_form_changes_is_said(tmp_path: Path) -> None:
    document = document_of("a\x01b")
    document.sections[0].definition = " blanks around "
    assert write_odml(document, tmp_path / "out.json") == []
    assert write_odml(document, tmp_path / "out.yaml") == []
    assert write_odml(document, tmp_path / "out.xml") == [
        "Section.definition: this form of file changes it (at document.sections[0])",
        "Property.values: this form of file changes them (at document.sections[0].properties[0])",
    ]


def test_what_odml_has_no_place_for_is_said_once_for_each_sort(tmp_path: Path) -> None:
    document = document_of("1", None, "2", checksum="crc32$0", encoder="base64")
    document.sections[0].mapping = "m"
    document.sections[0].properties[0]._set_ext({"dtype": "binary"})
    losses = write_odml(document, tmp_path / "out.json")
    assert losses == [
        "Section.mapping: odML 1.1 has no place for it (at document.sections[0])",
        "Value.encoder: odML 1.1 has no place for it (at document.sections[0].properties[0].values[0] and 2 more)",
        "Value.checksum: odML 1.1 has no place for it (at document.sections[0].properties[0].values[0] and 2 more)",
        "Value.data: an empty value was left out (at document.sections[0].properties[0].values[1])",
        "Property.dtype: odML 1.1 has no dtype 'binary'; it was written as text "
        "(at document.sections[0].properties[0])",
    ]


def test_links_and_includes_are_written_as_text(tmp_path: Path) -> None:
    document = Document(repository="http://127.0.0.1:9/t.xml")
    Section(name="a", type="t", link="/nowhere", document=document)
    Section(name="b", type="t", include="http://127.0.0.1:9/s.xml#x", document=document)
    for suffix in SUFFIXES:
        assert write_odml(document, tmp_path / f"out{suffix}") == []
        back = read_odml(tmp_path / f"out{suffix}").document
        assert (back.repository, back.sections[0].link, back.sections[1].include) == (
            *("http://127.0.0.1:9/t.xml", "/nowhere"),
            "http://127.0.0.1:9/s.xml#x",
        )


def deep(depth: int) -> Document:
    document = Document()
    above = Section(name="s", type="t", document=document)
    for _ in range(depth - 1):
        above = Section(name="s", type="t", section=above)
    return document


def test_xml_takes_any_depth_and_the_others_say_that_they_do_not(tmp_path: Path) -> None:
    document = deep(20_000)
    assert write_odml(document, tmp_path / "out.xml") == []
    for suffix in (".json", ".yaml"):
        with pytest.raises(ValidationFailed, match=r"nested too deep.*write \.xml"):
            write_odml(document, tmp_path / f"out{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["out.xml"]


def test_a_file_stays_as_it_was_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("before")
    with pytest.raises(ValidationFailed, match="nested too deep"):
        write_odml(deep(5000), path)
    assert path.read_text() == "before"
    write_odml(document_of("1"), path)
    assert [other.name for other in tmp_path.iterdir()] == ["out.json"]


def test_another_suffix_and_another_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match=r"'\.rdf' is no suffix of odML; use one of \.odml, \.xml"):
        write_odml(Document(), tmp_path / "out.rdf")
    with pytest.raises(ValidationFailed, match="whole Document"):
        write_odml(Section(name="s"), tmp_path / "out.xml")  # type: ignore[arg-type]
