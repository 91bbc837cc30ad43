"""What a validation found, to print, to count and to write as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gnode_orm.core.shortened import shortened

ERROR = "error"
WARNING = "warning"
INFO = "info"
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong or doubtful.

    Attributes:
        severity: ``"error"`` (the object cannot be trusted), ``"warning"`` (it can, but look at it) or ``"info"``
            (nothing is wrong; it may be unexpected).
        code: stable name of the rule, for instance ``"spike-outside-train"``.
        path: where, for instance ``"block[0].segments[3].spiketrains[1].times"``.
        value: the value concerned, as short text, or ``None``.
        message: what is wrong.
        remedy: what to do about it.
    """

    severity: str
    code: str
    path: str
    value: str | None
    message: str
    remedy: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" ({self.value})"
        return f"{self.severity} {self.code} at {self.path}: {self.message}{shown}; {self.remedy}"


class Report:
    """The issues of one validation. Printing it gives one line for each."""

    def __init__(self, subject: str, issues: Iterable[Issue] = ()) -> None:
        self.subject = subject
        self.issues = list(issues)

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings are allowed."""
        return not self.errors

    @property
    def errors(self) -> list[Issue]:
        """Issues that make an import refuse the object."""
        return [issue for issue in self.issues if issue.severity == ERROR]

    @property
    def warnings(self) -> list[Issue]:
        """Issues to look at."""
        return [issue for issue in self.issues if issue.severity == WARNING]

    @property
    def notes(self) -> list[Issue]:
        """Issues that are no fault."""
        return [issue for issue in self.issues if issue.severity == INFO]

    def summary(self) -> list[str]:
        """One line for each thing found, with its count and first places: a recording may have hundreds of the same.

        Errors and warnings; an import keeps these lines with the block.
        """
        groups = [group for group in self.groups() if group[0].severity != INFO]
        return [str(group[0]) if len(group) == 1 else _together(group) for group in groups]

    def groups(self) -> list[list[Issue]]:
        """Give the issues that say the same by code and message, in the order in which these were met."""
        groups: dict[tuple[str, str, str], list[Issue]] = {}
        for issue in self.issues:
            groups.setdefault((issue.severity, issue.code, issue.message), []).append(issue)
        return list(groups.values())

    def to_json(self) -> str:
        """Write the report as JSON text."""
        return json.dumps({"subject": self.subject, "ok": self.ok, "issues": [asdict(issue) for issue in self.issues]})

    def __len__(self) -> int:
        return len(self.issues)

    def __str__(self) -> str:
        return "\n".join([f"{self.subject}: {self._counts()}", *(f"  {issue}" for issue in self.issues)])

    def __repr__(self) -> str:
        return f"<Report on {self.subject}: {self._counts()}>"

    def _counts(self) -> str:
        counts = (("error", len(self.errors)), ("warning", len(self.warnings)))
        return ", ".join(f"{count} {word}{'s' * (count != 1)}" for word, count in counts)


def short(value: Any) -> str | None:
    """Show a value in a few words."""
    if value is None:
        return None
    return shortened(" ".join(str(value).split()), 80)


def _together(group: list[Issue]) -> str:
    first = group[0]
    places = ", ".join(issue.path for issue in group[:_EXAMPLES]) + (", ..." if len(group) > _EXAMPLES else "")
    return f"{first.severity} {first.code}: {first.message}, {len(group)} times (at {places}); {first.remedy}"
