"""How files are imported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnode_orm.errors import ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.files.templates import Template

Metadata = Mapping[str, Any] | Callable[[Path], Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How one file is imported; ``Session.import_file`` says what each means.

    ``names`` has names for blocks by their number, instead of those that the file gives or lacks.
    """

    template: Template | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    timezone: str | dt.tzinfo | None = None
    reader: str | None = None
    reader_options: Mapping[str, Any] | None = None
    keep_personal: bool = False
    keep_paths: bool = False
    raw: bool = False
    force: bool = False
    again: bool = False
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def reading(self) -> dict[str, Any]:
        """The arguments of ``open_recording``."""
        names = ("reader", "reader_options", "timezone", "keep_personal", "keep_paths", "raw")
        return {name: getattr(self, name) for name in names}


def metadata_for(metadata: Metadata, path: Path) -> dict[str, Any]:
    """Give the metadata of one file.

    Raises:
        ValidationFailed: it is not a mapping of names to values.
    """
    given = metadata(path) if callable(metadata) else metadata
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ValidationFailed(f"metadata for {path} is {given!r}; give a dict of names and values", field="metadata")
    return dict(given)
