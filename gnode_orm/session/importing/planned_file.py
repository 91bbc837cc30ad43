"""One file of an import plan, with the blocks that an import would make of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnode_orm.errors import ValidationFailed
from gnode_orm.files.path_text import path_text
from gnode_orm.session.importing.options import ImportOptions

if TYPE_CHECKING:
    from gnode_orm.files.templates import Template

# Where to change what a planned block only shows.
_WHERE = {"units": "the unit of the signals after the import", "recorded": "the timezone of the planned file"}


@dataclass(slots=True)
class PlannedBlock:
    """A block or document that an import would make.

    Attributes:
        number: which block of its file it is.
        name: what it will be called; may be changed.
        contents: what it holds, in words.
        units: units of its signals.
        recorded: when it was recorded, as far as the file says, with the time zone that was given.

    All but the name is what the file says, and cannot be set here.
    """

    number: int
    name: str
    contents: str
    units: tuple[str, ...] = ()
    recorded: dt.datetime | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "name" and hasattr(self, name):
            raise ValidationFailed(
                f"{name} of a planned block is what its file says; set {_WHERE.get(name, 'the name')} instead",
                field=name,
                value=value,
            )
        object.__setattr__(self, name, value)

    def __str__(self) -> str:
        units = f" ({', '.join(self.units)})" if self.units else ""
        recorded = "" if self.recorded is None else f", recorded {self.recorded}"
        return f"{self.name!r}: {self.contents}{units}{recorded}"


@dataclass(slots=True)
class PlannedFile:
    """One file of a plan.

    Attributes:
        path: the file, or the folder that is one recording.
        wanted: whether it will be imported; set it to leave the file out.
        reader, reader_options, timezone, keep_personal, keep_paths, raw, again, metadata: how it will be imported;
            may be changed.
        reader_name: the reader that took it.
        blocks: what would be made.
        warnings: what the reader reported and what was assumed.
        missing: properties that the template demands and the metadata does not give.
        problem: why it cannot be imported, or ``None``.
        present: where its content is in the lab already.
    """

    path: Path
    template: Template | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    timezone: str | dt.tzinfo | None = None
    reader: str | None = None
    reader_options: dict[str, Any] = field(default_factory=dict)
    keep_personal: bool = False
    keep_paths: bool = False
    raw: bool = False
    again: bool = False
    wanted: bool = True
    reader_name: str | None = None
    blocks: list[PlannedBlock] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problem: str | None = None
    present: list[str] = field(default_factory=list)
    _names: list[str] = field(default_factory=list, repr=False)

    @property
    def missing(self) -> list[str]:
        """Properties that the template demands and the metadata does not give."""
        return [] if self.template is None or self.reader_name == "odml" else self.template.missing(self.metadata)

    def options(self, *, force: bool, again: bool = False) -> ImportOptions:
        """How it is imported."""
        pairs = zip(self.blocks, self._names, strict=True)
        names = {block.number: block.name for block, before in pairs if block.name != before}
        return ImportOptions(
            template=self.template,
            metadata=self.metadata,
            timezone=self.timezone,
            # Options are for one reader, so for the one that the plan shows.
            reader=self.reader or (self.reader_name if self.reader_options else None),
            reader_options=self.reader_options,
            keep_personal=self.keep_personal,
            keep_paths=self.keep_paths,
            raw=self.raw,
            force=force,
            again=again or self.again,
            names=names,
        )

    def remember_names(self) -> None:
        """Keep the names as they were planned, to know those that are edited."""
        self._names = [block.name for block in self.blocks]

    def lines(self) -> Iterator[str]:
        """Say what would happen, sign first: ``+`` import, ``=`` in the lab already, ``-`` left out, ``!`` fails."""
        if not self.wanted:
            yield f"- {path_text(self.path)}: left out"
        elif self.problem is not None:
            yield f"! {path_text(self.path)}: {self.problem}"
        elif self.present:
            yield f"= {path_text(self.path)}: in the lab already as {', '.join(self.present)}"
        else:
            yield f"{'!' if self.missing else '+'} {path_text(self.path)} ({self.reader_name})"
            yield from (f"    {block}" for block in self.blocks)
            yield from (f"    {key} = {value!r}" for key, value in self.metadata.items())
            yield from (f"    missing: {path}" for path in self.missing)
            yield from (f"    warning: {text}" for text in self.warnings)
