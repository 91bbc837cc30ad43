"""What is said of objects that have errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gnode_orm.errors import ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.files.validation import Report


def left_out(report: Report) -> list[str]:
    """Say what was left out for the errors of a report."""
    return [f"left out: {line}" for line in _errors_of(report)]


def refusal(report: Report) -> ValidationFailed:
    """Give what to raise for the errors of a report."""
    return ValidationFailed("; ".join(_errors_of(report)))


def _errors_of(report: Report) -> list[str]:
    return type(report)(report.subject, report.errors).summary()
