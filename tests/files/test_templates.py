"""What a lab wants to know about each recording, and whether it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnode_orm import Block, Document, Property, Section, Segment, Value, validate
from gnode_orm.errors import FormatError, NotFound, ValidationFailed
from gnode_orm.files.odml import write_odml
from gnode_orm.files.templates import read_template

LAB = """
[block]
required = ["name", "annotations.experimenter", "metadata/Subject/Species"]
recommended = ["rec_datetime"]

[segment]
required = ["index"]
"""


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lab.toml"
    path.write_text(text, encoding="utf-8")
    return path


def subject(species: str | None = "Mus musculus") -> Document:
    document = Document()
    item = Property("Species", section=Section("Subject", type="subject", document=document))
    if species is not None:
        Value(species, property=item)
    return document


def test_a_toml_template_demands_fields_annotations_and_metadata(tmp_path: Path) -> None:
    block = Block()
    Segment("s", block=block)
    report = validate(block, template=toml(tmp_path, LAB))
    assert [(issue.code, issue.path) for issue in report.issues] == [
        ("required-missing", "block.name"),
        ("required-missing", "block.annotations"),
        ("required-missing", "block.metadata"),
        ("recommended-missing", "block.rec_datetime"),
        ("required-missing", "block.segments[0].index"),
    ]
    assert "the template asks for annotations.experimenter" in str(report)


def test_what_is_there_is_not_demanded(tmp_path: Path) -> None:
    top = Section("cell 3", type="recording")
    subject().sections[0].section = top
    block = Block("cell 3", metadata=top, annotations={"experimenter": "me"})
    Segment("s", block=block, index=0)
    assert validate(block, template=toml(tmp_path, LAB)).ok


def test_an_odml_template_is_held_against_documents(tmp_path: Path) -> None:
    template = tmp_path / "template.odml"
    write_odml(subject(), template)
    assert validate(subject("Rattus"), template=template).ok
    for document in (subject(None), Document()):
        (issue,) = validate(document, template=template).errors
        assert (issue.code, issue.path) == ("required-missing", "document")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("[blok]\nrequired = []", ValidationFailed, "no kind 'blok'; did you mean 'block'"),
        ('[block]\nrequired = ["nam"]', ValidationFailed, "a block has no field 'nam'; did you mean 'name'"),
        ('[block]\nneeded = ["name"]', ValidationFailed, "not 'needed'"),
        ("[block]\nrequired = 3", ValidationFailed, "takes required"),
        ('[document]\nrequired = ["annotations.x"]', ValidationFailed, "no field 'annotations.x'"),
        ("block = 3", ValidationFailed, "takes required"),
        ("[block", FormatError, "not TOML"),
    ],
)
def test_a_wrong_template_is_refused(tmp_path: Path, text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        read_template(toml(tmp_path, text))


def test_a_template_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such template"):
        read_template(tmp_path / "absent.toml")


def test_metadata_finds_its_property_by_path_or_by_its_end_in_any_case(tmp_path: Path) -> None:
    document = subject(None)
    Property("Name", section=document.sections[0])
    Property("Name", section=Section("Setup", type="setup", document=document))
    path = tmp_path / "template.odml"
    write_odml(document, path)
    template = read_template(path)
    assert template.matching({"species": 1, "setup/name": 2, "Subject:Name": 3, "weather": 4}) == {
        "Subject/Species": 1,
        "Setup/Name": 2,
        "Subject/Name": 3,
    }
    assert template.unmatched({"species": 1, "weather": 4}) == ["weather"]
    with pytest.raises(ValidationFailed, match=r"has Subject/Name and Setup/Name; give the path"):
        template.matching({"name": "x"})
