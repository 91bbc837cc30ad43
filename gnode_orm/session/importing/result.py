"""What an import made, of one file and of many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnode_orm.files.path_text import path_text
from gnode_orm.session.importing.origin import already_there

if TYPE_CHECKING:
    from gnode_orm.models import Block, Document

IMPORTED = "imported"
SKIPPED = "skipped"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file: ``"imported"``, ``"skipped"`` or ``"failed"``, and what there is to say."""

    path: Path
    status: str
    message: str

    def __str__(self) -> str:
        return f"{path_text(self.path)}: {self.status}" + (f": {self.message}" if self.message else "")


@dataclass(repr=False)
class ImportResult:
    """What an import made.

    Attributes:
        blocks, documents: what it made, as instances of the calling session.
        found: blocks and documents that were in the lab already, by their content.
        skipped: parts that were not imported on purpose, with the reason.
        failed: parts that could not be imported, with the reason; nothing of them is in the lab.
        warnings: what the readers reported, what was assumed, and what the validation found doubtful.
        files: what became of each file.
    """

    blocks: list[Block] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    found: list[Block | Document] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files: list[FileResult] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([self._summary(), *map(str, self.files)])

    def __repr__(self) -> str:
        return f"<{self._summary()}>"

    def _summary(self) -> str:
        return summary_of([file.status for file in self.files], (IMPORTED, SKIPPED, FAILED))

    def skip(self, found: Any, path: Path, number: int) -> None:
        """Note a part of a file that is in the lab already as ``found``."""
        self.found.append(found)
        self.skipped.append(already_there(found, path_text(path.name), number))

    def close_file(self, path: Path) -> ImportResult:
        """Sum up what became of the one file that this is the result of."""
        made = bool(self.blocks or self.documents)
        status = IMPORTED if made else FAILED if self.failed else SKIPPED
        self.files = [FileResult(path, status, "; ".join([*self.failed, *self.skipped]))]
        return self

    def take(self, path: Path, other: ImportResult) -> None:
        """Add what another file gave; each line says which file it is about."""
        for name in ("blocks", "documents", "found", "files"):
            getattr(self, name).extend(getattr(other, name))
        for name in ("skipped", "failed", "warnings"):
            getattr(self, name).extend(f"{path_text(path)}: {line}" for line in getattr(other, name))

    def fail(self, path: Path, reason: str) -> None:
        """Note a file of which nothing could be imported."""
        reason = reason.removeprefix(f"{path_text(path)}: ")
        self.failed.append(f"{path_text(path)}: {reason}")
        self.files.append(FileResult(path, FAILED, reason))


def summary_of(fates: Sequence[str], order: Sequence[str]) -> str:
    """Count files by what became of them, or would."""
    counts = Counter(fates)
    told = ", ".join(f"{counts[fate]} {fate}" for fate in order if counts[fate])
    return f"Import of {len(fates)} file{'s' * (len(fates) != 1)}: {told or 'nothing'}"
