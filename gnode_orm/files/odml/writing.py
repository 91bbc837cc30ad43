"""Write a document as an odML 1.1 file, and report what the file does not hold.

The report has two sources: what odML has no place for, told while the odML object is made, and what the form of the
file changes, found by reading the file back and comparing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from secrets import token_hex
from typing import Any

from gnode_orm.convert.odml import to_odml
from gnode_orm.errors import ValidationFailed
from gnode_orm.files.odml.differences import differences
from gnode_orm.files.odml.forms import json_text, xml_text, yaml_text
from gnode_orm.files.odml.reading import read_odml
from gnode_orm.models.metadata import Document

_FORMS: dict[str, Callable[[Any], str]] = {
    ".odml": xml_text,
    ".xml": xml_text,
    ".json": json_text,
    ".yaml": yaml_text,
    ".yml": yaml_text,
}


def write_odml(document: Document, path: str | PathLike[str]) -> list[str]:
    """Write a document with everything below it; give what was lost, one line for each sort of loss.

    The suffix decides the form: ``.odml`` and ``.xml``, ``.json``, ``.yaml`` and ``.yml``. JSON and YAML keep every
    text; XML cannot hold control characters, nor blanks around names and definitions. An existing file is replaced
    only when the new one is complete.

    Raises:
        ValidationFailed: another suffix, something other than a document, or nested too deep for JSON or YAML.
    """
    place = Path(path)
    form = _FORMS.get(place.suffix.lower())
    if form is None:
        known = ", ".join(_FORMS)
        raise ValidationFailed(f"{place}: {place.suffix!r} is no suffix of odML; use one of {known}", value=str(place))
    if not isinstance(document, Document):
        raise ValidationFailed(f"A file holds a whole Document, not {document!r}", value=document)
    losses: list[str] = []
    native = to_odml(document, losses=losses, as_said=True)
    try:
        text = form(native)
    except RecursionError:
        raise ValidationFailed(
            f"{place}: the sections are nested too deep for {place.suffix}; write .xml", entity="Document"
        ) from None
    written = _beside(place, text)
    try:
        losses += differences(native, to_odml(read_odml(written).document, losses=[], as_said=True))
        os.replace(written, place)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
    return losses


def _beside(place: Path, text: str) -> Path:
    """Write a temporary file in the same folder, so that it can take the place of the old one in one step."""
    # An ordinary file, not one of tempfile's, which are closed to everybody else.
    beside = place.with_name(f".{place.name}.{token_hex(4)}")
    with beside.open("x", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return beside
