"""A plan of what an import would make, to look at, to edit, and to carry out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from gnode_orm.core.progress import Progress, silent
from gnode_orm.errors import FormatError, GnodeError, NotFound, ValidationFailed
from gnode_orm.files.path_text import path_text
from gnode_orm.session.importing.one_file import import_one
from gnode_orm.session.importing.planned_file import PlannedFile
from gnode_orm.session.importing.result import ImportResult, summary_of

if TYPE_CHECKING:
    from gnode_orm.session.session import Session

REFUSALS = (FormatError, NotFound, ValidationFailed)
"""What is wrong with one file, and says nothing about the others."""
_FATES = ("to import", "in the lab already", "left out", "with problems")


class ImportPlan:
    """What an import would make of some files. Print it, edit its ``files``, then ``apply()`` it.

    Attributes:
        files: the files, in order.
        ignored: files in folders that no reader knows, with the reason.
    """

    def __init__(self, session: Session, files: list[PlannedFile], ignored: list[str]) -> None:
        self.files = files
        self.ignored = ignored
        self._session = session

    def apply(
        self,
        on_error: Literal["stop", "skip"] = "stop",
        *,
        force: bool = False,
        again: bool = False,
        progress: Progress | None = None,
    ) -> ImportResult:
        """Import the files that are wanted, one commit a block; the memory that it takes does not grow with them.

        A file whose content is in the lab by now is skipped, so that a plan that was interrupted can be made and
        applied again.

        Args:
            on_error: ``"stop"`` raises at the first file that fails, before anything is written where the plan knows
                of it; ``"skip"`` notes it in the result and goes on.
            force: leave out objects that have errors, instead of refusing the block.
            again: import what is in the lab already once more.
            progress: called with files done, files in all, and what is being done.

        Raises:
            FormatError, NotFound, ValidationFailed: a file failed, with ``on_error="stop"``.
        """
        if on_error not in ("stop", "skip"):
            raise ValidationFailed(f"on_error is 'stop' or 'skip', not {on_error!r}", field="on_error", value=on_error)
        self._session._check_writable()
        wanted = [file for file in self.files if file.wanted]
        if on_error == "stop":
            _refuse_known_problems(wanted)
        report: Progress = progress or silent
        result = ImportResult()
        for number, file in enumerate(wanted):
            report(number, len(wanted), f"importing {path_text(file.path.name)}")
            try:
                result.take(file.path, self._import(file, force, again))
            except REFUSALS as error:
                if on_error == "stop":
                    raise _with_progress(error, number) from error
                result.fail(file.path, str(error))
        report(len(wanted), len(wanted), "imported")
        return result

    def _import(self, file: PlannedFile, force: bool, again: bool) -> ImportResult:
        if file.missing:
            raise ValidationFailed(_missing(file))
        return import_one(self._session, file.path, file.options(force=force, again=again))

    def summary(self) -> str:
        """Count the files by what would happen to them."""
        return summary_of([_fate(file) for file in self.files], _FATES)

    def __iter__(self) -> Iterator[PlannedFile]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __str__(self) -> str:
        lines = [self.summary()]
        for file in self.files:
            lines += file.lines()
        lines += [f"- {text}" for text in self.ignored]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{self.summary()}>"


def _fate(file: PlannedFile) -> str:
    if not file.wanted:
        return "left out"
    if file.problem is not None or (file.missing and not file.present):
        return "with problems"
    return "in the lab already" if file.present else "to import"


def _refuse_known_problems(files: list[PlannedFile]) -> None:
    bad = [file for file in files if _fate(file) == "with problems"]
    if not bad:
        return
    first = bad[0]
    why = f"{path_text(first.path)}: {first.problem}" if first.problem else _missing(first)
    more = f", and {len(bad) - 1} more files with problems" if len(bad) > 1 else ""
    raise FormatError(f"{why}{more}; nothing was imported. Set wanted=False on them, or apply with on_error='skip'")


def _missing(file: PlannedFile) -> str:
    assert file.template is not None
    demanded = ", ".join(file.missing)
    return f"{path_text(file.path)}: the template {file.template.path.name} demands {demanded}; give it with metadata="


def _with_progress(error: GnodeError, done: int) -> FormatError:
    return FormatError(f"{error}; {done} files before it were done, those after it were not tried")
