"""Read an odML file of format version 1.0 or 1.1, in XML, JSON or YAML, or a table of odMLtables."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from gnode_orm.errors import FormatError, NotFound, ValidationFailed
from gnode_orm.files.odml.build import Build
from gnode_orm.files.odml.elements import Element, unreadable
from gnode_orm.files.odml.formats import form_of, is_document
from gnode_orm.files.odml.json_yaml import Pairs, elements_of, parse_json, parse_yaml
from gnode_orm.files.odml.tables import parse_csv, parse_excel
from gnode_orm.files.odml.xml_text import parse_xml
from gnode_orm.files.path_text import path_text
from gnode_orm.models.metadata import Document

_VERSIONS = {"1": "1.0", "1.0": "1.0", "1.1": "1.1"}


@dataclass
class OdmlFile:
    """What an odML file holds.

    Attributes:
        document: the document, transient, with everything below it.
        warnings: what was left out or looks wrong, with its place in the file.
        version: format version of the file, ``"1.0"`` or ``"1.1"``.
    """

    document: Document
    warnings: list[str] = field(default_factory=list)
    version: str = "1.1"


def is_odml(path: str | PathLike[str]) -> bool:
    """Tell by its content whether a file is odML, be it whole or broken."""
    place = Path(path)
    return place.is_file() and form_of(place) is not None


def read_odml(path: str | PathLike[str]) -> OdmlFile:
    """Read an odML file into models. Includes and links are kept as text, and nothing is fetched.

    Raises:
        NotFound: no such file.
        FormatError: not odML, broken, or of a format version other than 1.0 and 1.1.
    """
    place = Path(path)
    if not place.is_file():
        raise NotFound(f"{path_text(place)}: {'not a file' if place.exists() else 'no such file'}")
    assumed: list[str] = []
    given, root = _parsed(place, assumed)
    version = _VERSIONS.get(str(given).strip())
    if version is None:
        said = "it names no format version" if given is None else f"its format version is {given!r}"
        raise unreadable(place, f"{said}; versions 1.0 and 1.1 are read")
    build = Build(version)
    try:
        document = build.document(root)
        return OdmlFile(document, [*assumed, *build.warnings], version)
    except ValidationFailed as error:
        raise unreadable(place, str(error)) from error


def _parsed(path: Path, assumed: list[str]) -> tuple[Any, Element]:
    """Give the format version that a file names, and its root."""
    form = form_of(path)
    if form == "xls":
        return "1.1", parse_excel(path, assumed)
    data = path.read_bytes()
    if form is None:
        raise _not_odml(path, data)
    if form == "csv":
        return "1.1", parse_csv(data, path, assumed)
    if form == "xml":
        return parse_xml(data, path)
    read = parse_json(data, path) if form == "json" else parse_yaml(data, path)
    body = read.get("Document") if is_document(read) else None
    if not isinstance(body, Pairs):
        raise unreadable(path, "it has no Document with an odml-version at its top")
    return read.get("odml-version"), elements_of(body)


def _not_odml(path: Path, data: bytes) -> FormatError:
    if not data.strip():
        return unreadable(path, "the file is empty")
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        try:
            parse_xml(data, path)
        except FormatError as error:
            return error
    return unreadable(
        path,
        "it is neither XML with the root <odML>, nor JSON or YAML with Document and odml-version, "
        "nor a table with Path to Section and Property Name",
    )
