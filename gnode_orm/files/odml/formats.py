"""Which form of odML a file has, by its content and never by its suffix alone."""

from __future__ import annotations

import re
from pathlib import Path

from gnode_orm.errors import FormatError
from gnode_orm.files.odml.json_yaml import Pairs, parse_json, parse_yaml
from gnode_orm.files.odml.tables import is_csv, is_excel
from gnode_orm.files.odml.xml_text import root_tag

_HEAD = 65536
_JSON_KEY = re.compile(rb'"(?:Document|odml-version)"\s*:')
_YAML_KEY = re.compile(rb"""^["']?(?:Document|odml-version)["']?\s*:""", re.MULTILINE)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def form_of(path: Path) -> str | None:
    """Give ``"xml"``, ``"json"``, ``"yaml"``, ``"csv"`` or ``"xls"`` for an odML file, whole or broken, or ``None``."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if is_excel(head, path):
        return "xls"
    wide = head.startswith(_BOMS[1:])
    if not head.strip() or (b"\x00" in head and not wide):
        return None
    start = head.removeprefix(_BOMS[0]).lstrip()[:1]
    if start == b"<" or wide:
        return "xml" if _is_odml_root(head, path) else None
    if is_csv(head):
        return "csv"
    data = path.read_bytes()
    if start == b"{" and _JSON_KEY.search(data):
        return _form_of_object(data, path)
    return _form_of_yaml(data, path) if _YAML_KEY.search(data) else None


def is_document(read: object) -> bool:
    """Whether something read from JSON or YAML has the two keys of odML at its top."""
    return isinstance(read, Pairs) and {"Document", "odml-version"} <= {key for key, _ in read}


def _is_odml_root(head: bytes, path: Path) -> bool:
    tag = root_tag(head, path)
    return tag is not None and tag.lower() == "odml"


def _form_of_object(data: bytes, path: Path) -> str | None:
    """Tell what begins with a brace: JSON, or YAML written in braces."""
    try:
        return "json" if is_document(parse_json(data, path)) else None
    except FormatError:
        pass
    try:
        if is_document(parse_yaml(data, path)):
            return "yaml"
    except FormatError:
        pass
    return "json" if _names_both(data) else None


def _form_of_yaml(data: bytes, path: Path) -> str | None:
    try:
        return "yaml" if is_document(parse_yaml(data, path)) else None
    except FormatError:
        return "yaml" if _names_both(data) else None


def _names_both(data: bytes) -> bool:
    """Whether a broken file is meant as odML; a cut-off one may have lost its version, which stands last."""
    return b"Document" in data and (b"odml-version" in data or b"sections" in data)
