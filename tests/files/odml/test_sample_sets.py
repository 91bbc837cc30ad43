from __future__ import annotations

import socket
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gnode_orm.convert.odml import from_odml, to_odml
from gnode_orm.convert.odml.library import odml_library
from gnode_orm.files.odml import is_odml, read_odml, write_odml
from tests.convert.odml.shapes import shape, told
from tests.files.odml.walking import properties, sections, values

VERSION_1_0 = ["odml-v1-large", "odml-v1-relacs", "odml-v1-eeg", "odml-v1-json"]
VERSION_1_1 = [
    *("odml-v11-blackrock", "odml-v11-eeg", "odml-v11-tutorial", "odml-v11-json", "odml-v11-yaml"),
    "odml-v11-terminologies",
]
XML = ["odml-v1-large", "odml-v1-relacs", "odml-v1-eeg", *VERSION_1_1[:3], "odml-v11-terminologies"]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", VERSION_1_0 + VERSION_1_1)
def test_a_file_holds_what_is_expected(name: str, data: Path, expected: dict[str, Any]) -> None:
    """The figures are those of the odml library, which drops empty values of version 1.0."""
    said = expected[name]
    path = data / said["path"]
    assert is_odml(path)
    file = read_odml(path)
    document = file.document
    walked = list(sections(document))
    assert file.version == ("1.0" if name in VERSION_1_0 else "1.1")
    assert (document.author, document.version, str(document.date)) == (
        said["author"],
        said["version"],
        str(said["date"]),
    )
    assert [[section.name, section.type] for section in document.sections][:8] == said["top"][:8]
    assert (len(walked), max(depth for depth, _ in walked)) == (said["n_sections"], said["depth"])
    assert len(properties(document)) == said["n_properties"]
    assert len([value for value in values(document) if value.data is not None]) == said["n_values"]
    links = [section for _, section in walked if section.link is not None]
    includes = [section for _, section in walked if section.include is not None]
    assert (len(links), len(includes)) == (said["links"], said["includes"])


@pytest.mark.parametrize("name", XML)
@pytest.mark.trap(32)
def test_no_element_of_a_file_is_lost(name: str, data: Path, expected: dict[str, Any]) -> None:
    raw = expected[name]["raw_counts"]
    document = read_odml(data / expected[name]["path"]).document
    walked = [section for _, section in sections(document)]
    assert (len(walked), len(properties(document))) == (raw["section"], raw["property"])
    repositories = [item.repository for item in [document, *walked] if item.repository is not None]
    assert len(repositories) == raw["repository"]
    if name in VERSION_1_0:
        assert len(values(document)) == raw["value"]


@pytest.mark.parametrize("name", VERSION_1_1)
def test_version_1_1_is_read_as_the_odml_library_reads_it(name: str, data: Path, expected: dict[str, Any]) -> None:
    path = data / expected[name]["path"]
    form = {".json": "JSON", ".yaml": "YAML"}.get(path.suffix, "XML")
    theirs = odml_library().load(str(path), form, show_warnings=False)
    ours = read_odml(path).document.to_odml()
    if name == "odml-v11-terminologies":  # the library cuts a definition off where markup begins
        assert [section.include for section in ours.sections] == [section.include for section in theirs.sections]
        return
    assert said_by(ours) == said_by(theirs)


def said_by(native: Any) -> list[tuple[int, str, str]]:
    """Give what a document says, without ids, which the library makes up where a file has none."""
    back: Any = odml_library().Document()
    back.__dict__.update({**native.__dict__, "_id": None, "_origin_file_name": None})
    return [(depth, kind, fact.split("'_name'", 1)[-1]) for depth, kind, fact in shape(back)]


@pytest.mark.parametrize("name", VERSION_1_1)
@pytest.mark.trap(33)
def test_dtypes_and_units_are_those_expected(name: str, data: Path, expected: dict[str, Any]) -> None:
    items = properties(read_odml(data / expected[name]["path"]).document)
    assert Counter(str(item.ext.get("dtype")) for item in items) == expected[name]["dtypes"]
    units = [item.values[0].unit if len(item.values) else item.ext.get("unit") for item in items]
    assert Counter(unit for unit in units if unit) == expected[name]["units"]


@pytest.mark.parametrize("name", ["odml-v1-large", "odml-v1-relacs"])
def test_dtypes_and_units_of_each_value_are_those_expected(name: str, data: Path, expected: dict[str, Any]) -> None:
    items = properties(read_odml(data / expected[name]["path"]).document)
    assert Counter(item.ext.get("dtype", "string") for item in items) == expected[name]["dtypes"]
    units = [{value.unit for value in item.values} - {None} for item in items]
    assert Counter(unit for said in units for unit in said) == expected[name]["units"]


@pytest.mark.case(85)
def test_version_1_0_keeps_what_each_value_says(data: Path, expected: dict[str, Any]) -> None:
    document = read_odml(data / expected["odml-v1-json"]["path"]).document
    item = document.sections[0].properties[0]
    said = [(v.data, v.unit, v.uncertainty, v.reference, v.definition, v.filename) for v in item.values]
    assert said == [
        (None,) * 6,
        ("'1'", "arbitrary", "11", "ref val 1", "def val 1", "filename val 1"),
        ("2", "arbitrary 2", "12", "ref val 1", "def val 1", "filename val 1"),
        ("'3'", "arbitrary 3", "13", "ref val 3", "def val 3", "filename val 3"),
    ]
    assert item.dependencyvalue == "dep val p1"
    assert [value.ext.get("dtype", item.ext["dtype"]) for value in item.values] == ["string", "string", "int", "string"]
    assert len(values(document)) == 21


@pytest.mark.trap(36)
def test_version_1_0_keeps_checksums_and_units_outside_ascii(data: Path, expected: dict[str, Any]) -> None:
    found = values(read_odml(data / expected["odml-v1-eeg"]["path"]).document)
    assert len([value for value in found if value.data is None]) == 288
    assert {value.checksum for value in found} == {None, "crc32$00000000"}
    assert "MΩ" in {value.unit for value in found}


@pytest.mark.parametrize("name", VERSION_1_0 + VERSION_1_1)
@pytest.mark.parametrize("suffix", [".odml", ".xml", ".json", ".yaml"])
def test_what_is_written_is_what_comes_back(
    name: str, suffix: str, data: Path, expected: dict[str, Any], tmp_path: Path
) -> None:
    read = read_odml(data / expected[name]["path"]).document
    losses = write_odml(read, tmp_path / f"out{suffix}")
    if name in VERSION_1_1 or name in ("odml-v1-large", "odml-v1-relacs"):
        assert losses == []
        assert told(read_odml(tmp_path / f"out{suffix}").document) == told(read)
    else:
        assert any("an empty value was left out" in line for line in losses)
        assert any("Value.definition: odML 1.1 has no place for it" in line for line in losses)
    written = read_odml(tmp_path / f"out{suffix}")
    assert written.warnings == []
    assert len(values(written.document)) == expected[name]["n_values"]


@pytest.mark.parametrize("name", VERSION_1_0 + VERSION_1_1)
@pytest.mark.parametrize("suffix", [".xml", ".json", ".yaml"])
def test_the_odml_library_reads_what_is_written(
    name: str, suffix: str, data: Path, expected: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = read_odml(data / expected[name]["path"]).document
    losses: list[str] = []
    native = to_odml(document, losses=losses)
    write_odml(from_odml(native), tmp_path / f"out{suffix}")  # type: ignore[arg-type]
    assert capsys.readouterr() == ("", "")
    theirs = odml_library().load(str(tmp_path / f"out{suffix}"), suffix[1:].upper(), show_warnings=False)
    assert capsys.readouterr() == ("", "")
    assert said_by(theirs) == said_by(native)


@pytest.mark.parametrize("name", ["abf2-ic-ramp", "nix-not-neo", "brainvision-units", "ascii-column", "intan-rhd"])
@pytest.mark.trap(35)
def test_recordings_and_tables_are_not_odml(name: str, data: Path) -> None:
    assert [path for path in (data / name).rglob("*") if path.is_file() and is_odml(path)] == []
