from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gnode_orm.errors import FormatError, NotFound
from gnode_orm.files.odml import OdmlFile, is_odml, read_odml
from tests.files.odml.walking import properties, values

XML_1_0 = """<?xml version="1.0" encoding="{encoding}"?>
<odML version="1"><!-- a comment --><author>Müller</author><date>{date}</date>
<section><name>s</name><type>t</type><mapping>m</mapping><repository>http://127.0.0.1:9/t.xml</repository>
<property><name>p</name><mapping>#x</mapping>
 <value> 1,5 <unit>µV</unit><type>int</type><uncertainty>0.10</uncertainty><encoder>base64</encoder></value>
 <value/>
 <value>[1,2]<type>float</type></value>
</property></section></odML>"""

BODY_1_1 = """<odML version="1.1"><section><name>s</name><type>t</type>
<property><name>p</name>{said}</property></section></odML>"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(content: str | bytes, name: str = "file.dat") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def read_1_1(write: Any, said: str) -> OdmlFile:
    return read_odml(write(BODY_1_1.format(said=said)))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
@pytest.mark.trap(30, 31)
def test_version_1_0_keeps_each_value_with_what_it_says(encoding: str, write: Any) -> None:
    path = write(XML_1_0.format(encoding=encoding, date="2014-3-1").encode(encoding))
    assert is_odml(path)
    file = read_odml(path)
    (item,) = properties(file.document)
    said = [(v.data, v.unit, v.uncertainty, v.encoder, v.ext.get("dtype")) for v in item.values]
    assert said == [
        ("1,5", "µV", "0.10", "base64", None),
        (None, None, None, None, None),
        ("[1,2]", None, None, None, "float"),
    ]
    assert (item.mapping, item.ext["dtype"], item.section and item.section.mapping) == ("#x", "int", "m")
    assert (file.document.author, str(file.document.date), file.version) == ("Müller", "2014-03-01", "1.0")
    assert [line.partition(": ")[2] for line in file.warnings] == [
        "'1,5' is not of dtype 'int'",
        "'[1,2]' is not of dtype 'float'",
    ]


def test_a_date_that_is_none_is_kept_as_text_and_said(write: Any) -> None:
    file = read_odml(write(XML_1_0.format(encoding="utf-8", date="last week")))
    assert (file.document.date, file.document.ext["date_text"]) == (None, "last week")
    assert "line 2: the document's date 'last week' is not a date such as 2014-03-21" in file.warnings


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("a,b", ["a,b"]),
        (" a ", [" a "]),
        ("[]", []),
        ("[a,b]", ["a", "b"]),
        ("\n [a, b,,c]\n", ["a", " b", "", "c"]),
        ('["a,b","say ""x""",["c"]]', ["a,b", 'say "x"', '["c"]']),
        ('[a,"b,c]', ["a", "b,c"]),
        ("[a\nb,c]", ["a\nb", "c"]),
        ("[(1;2),(3;4)]", ["(1;2)", "(3;4)"]),
        ("[", ["["]),
    ],
)
def test_version_1_1_lists_values_in_one_element(text: str, found: list[str], write: Any) -> None:
    file = read_1_1(write, f"<value>{text}</value>")
    assert [value.data for value in values(file.document)] == found


def test_what_a_property_of_version_1_1_says_goes_to_each_value(write: Any) -> None:
    said = "<value>[1,2]</value><type>int</type><unit>mV</unit><uncertainty>0</uncertainty>"
    file = read_1_1(write, said + "<value_origin>f.csv</value_origin><val_cardinality>(1, None)</val_cardinality>")
    (item,) = properties(file.document)
    assert [(v.data, v.unit, v.uncertainty, v.filename) for v in item.values] == [
        ("1", "mV", "0", "f.csv"),
        ("2", "mV", "0", "f.csv"),
    ]
    assert (item.ext["val_cardinality"], file.warnings) == ((1, None), [])


def test_what_odml_does_not_know_is_said_with_its_line(write: Any) -> None:
    text = """<odML version="1.1" lang="de">
<section><name>s</name><type>t</type><colour>red</colour><sec_cardinality>many</sec_cardinality>
<name>second</name>loose<definition>a <b>bold</b> word</definition>
</section></odML>"""
    file = read_odml(write(text))
    assert file.warnings == [
        "line 1: the attribute lang='de' is not odML and was left out",
        "line 2: 'loose' in <section> is not odML and was left out",
        "line 2: <colour> in <section> is not odML and was left out ('red')",
        "line 3: <name> is given twice; the first, 's', was left out",
        "line 3: <definition> has markup; its text was kept, the markup left out",
        "line 2: 'many' is not a cardinality (min, max) and was left out",
    ]
    assert (file.document.sections[0].name, file.document.sections[0].definition) == ("second", "a bold word")


def test_a_name_that_is_missing_is_said(write: Any) -> None:
    file = read_odml(write('<odML version="1.1"><section><property/></section></odML>'))
    assert [line.partition(": ")[2] for line in file.warnings] == [
        "a section without a name",
        "a property without a name",
    ]


JSON_1_1: dict[str, Any] = {
    "odml-version": "1.1",
    "Document": {
        "version": 42,
        "sections": [
            {
                "name": "s",
                "type": "t",
                "sec_cardinality": [1, None],
                "properties": [
                    {"name": "f", "type": "float", "value": [1, 2.5, float("nan"), None], "uncertainty": 0.5},
                    {"name": "i", "dtype": "int", "values": [10**300, ""]},
                    {"name": "b", "type": "boolean", "value": [True, False]},
                    {"name": "s", "type": "string", "value": [True, "", "a"]},
                    {"name": "t", "type": "2-tuple", "value": "[(1;2),(3;4)]"},
                    {"name": "one", "value": "x"},
                ],
            }
        ],
    },
}


def test_json_keeps_types_as_text_by_dtype(write: Any) -> None:
    file = read_odml(write(json.dumps(JSON_1_1)))
    section = file.document.sections[0]
    assert [[value.data for value in item.values] for item in section.properties] == [
        ["1", "2.5", "nan", None],
        [str(10**300), None],
        ["true", "false"],
        ["True", "", "a"],
        ["(1;2)", "(3;4)"],
        ["x"],
    ]
    assert (file.document.version, section.ext["sec_cardinality"], file.warnings) == ("42", (1, None), [])
    native = section.to_odml().properties
    assert native["f"].values[:2] == [1.0, 2.5]
    assert native["f"].uncertainty == 0.5


def test_json_that_repeats_a_key_is_said(write: Any) -> None:
    text = '{"odml-version": 1.1, "Document": {"author": "a", "author": "b", "sections": [{"name": {"x": 1}}]}}'
    assert read_odml(write(text)).warnings == [
        "Document.author: <author> is given twice; the first, 'a', was left out",
        "Document.sections[0].name: <name> in <section> should hold text and was left out",
        "Document.sections[0]: a section without a name",
    ]


def test_yaml_keeps_times_dates_and_numbers_as_written(write: Any) -> None:
    text = """
Document:
  date: 1979-10-12
  version: "1.10"
  sections:
  - name: yes
    type: 't'
    properties:
    - {name: t, type: time, value: [10:20:30]}
    - {name: d, type: date, value: [&d 2014-03-21, *d]}
    - {name: f, type: float, value: [.nan, 1e3, ~]}
    - {name: i, type: int, value: [007, 12, 0x1f]}
odml-version: 1.1
"""
    path = write(text)
    assert is_odml(path)
    document = read_odml(path).document
    assert (str(document.date), document.version) == ("1979-10-12", "1.10")
    assert [[value.data for value in item.values] for item in properties(document)] == [
        ["10:20:30"],
        ["2014-03-21", "2014-03-21"],
        ["nan", "1000.0" if "." in "1e3" else "1e3", None],
        ["7", "12", "0x1f"],
    ]


def test_20000_nested_sections_are_read(write: Any) -> None:
    depth = 20_000
    text = "<section><name>s</name><type>t</type>" * depth + "</section>" * depth
    document = read_odml(write(f'<odML version="1.1">{text}</odML>')).document
    found = 0
    above: Any = document
    while len(above.sections):
        above = above.sections[0]
        found += 1
    assert found == depth


BOMB = '<!DOCTYPE odML [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n<odML version="1.1">&b;</odML>'
OUTSIDE = '<!DOCTYPE odML [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<odML version="1.1"><author>&x;</author></odML>'
ALIASES = "Document:\n  a: &a [x, x]\n  b: [*a, *a]\nodml-version: '1.1'\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("  \n", "the file is empty"),
        ("<odML version='1.1'><section><name>s", "no element found"),
        ("<odML version='1.1'><section></odML>", "mismatched tag"),
        ("<resource/>", "its root element is <resource>, not <odML>"),
        ("<a", "unclosed token"),
        ("<odML/>", "it names no format version; versions 1.0 and 1.1 are read"),
        ("<odML version='2'/>", "its format version is '2'; versions 1.0 and 1.1 are read"),
        ("<?xml version='1.0' encoding='no-such'?><odML version='1.1'/>", "unknown encoding: no-such"),
        (BOMB, "entity 'a'"),
        (OUTSIDE, "entity 'x'"),
        ('{"odml-version": "1.1", "Document": {"sections": [{"name"', "not valid JSON"),
        ('{"odml-version": "1.1", "Document": []}', "it has no Document"),
        ('{"odml-version": "1.1", "Document": {"author": "a\\u0000"}}', "NUL"),
        ('{"odml-version": "1.1", "Document": ' + "[" * 100_000, "deep"),
        ('{"Document": {}}', "neither XML"),
        ("[1, 2]", "neither XML"),
        ("Document:\n  sections: [\nodml-version: '1.1'\n", "not valid YAML"),
        (ALIASES, "the alias \\*a stands for more than a short text"),
        ("Document: 3\nodml-version: 1.1\n", "it has no Document"),
        ("Document:\n  a: !!python/object:os.system x\nodml-version: 3\n", "format version is"),
        (b"\x89HDF\r\n\x1a\n\x00\x00", "neither XML"),
    ],
)
@pytest.mark.trap(35)
def test_what_cannot_be_read_ends_in_one_line_with_path_and_reason(
    content: str | bytes, reason: str, write: Any
) -> None:
    path = write(content, "broken.odml")
    with pytest.raises(FormatError, match=reason) as caught:
        read_odml(path)
    assert str(caught.value).startswith(f"{path}: cannot be read as odML: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        read_odml(tmp_path / "absent.odml")
    with pytest.raises(NotFound, match="not a file"):
        read_odml(tmp_path)
    assert not is_odml(tmp_path)


@pytest.mark.parametrize(
    ("content", "yes"),
    [
        ('<?xml version="1.0"?>\n<odML version="1.1"/>', True),
        ("<odML version='1.1'><section>", True),
        ('{"Document": {"sections": []}, "odml-version": "1.1"}', True),
        ('{"Document": {"sections": [', True),
        ("Document:\n  sections: []\nodml-version: '1.1'\n", True),
        ("{Document: {sections: []}, odml-version: '1.1'}", False),
        ("{'Document': {sections: []}, \"odml-version\": '1.1'}", True),
        ("<html><odML/></html>", False),
        ('{"list": [{"Document": {}, "odml-version": "1.1"}]}', False),
        ("document:\n  sections: []\n", False),
        ("text that names Document: and odml-version: somewhere", False),
        ("", False),
    ],
)
def test_odml_is_known_by_its_content(content: str, yes: bool, write: Any) -> None:
    assert [is_odml(write(content, name)) for name in ("a.odml", "b.txt", "c.xml")] == [yes] * 3
