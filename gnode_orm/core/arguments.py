"""Arguments of public calls that are of another type than needed."""

from __future__ import annotations

from os import PathLike
from typing import Any

from gnode_orm.core.shortened import brief
from gnode_orm.errors import ValidationFailed

PATHS = (str, PathLike)


def check(what: str, value: Any, types: type | tuple[type, ...], remedy: str) -> None:
    """Refuse an argument of another type: ``check("commit(plan)", plan, Plan, "what session.plan() gave")``.

    Raises:
        ValidationFailed: it names the argument, the value, and what to give instead.
    """
    if not isinstance(value, types):
        text = f"{what}: {brief(value)} is of type {type(value).__name__}; give {remedy}"
        raise ValidationFailed(text, field=what.rpartition("(")[2].rstrip(")"), value=value)
