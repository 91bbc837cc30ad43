"""Rules by the kind that they judge; a decorator adds one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gnode_orm.errors import ValidationFailed, did_you_mean
from gnode_orm.files.validation.report import ERROR, INFO, WARNING
from gnode_orm.models import MODELS


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says about one object.

    Attributes:
        field: the field concerned, or ``None`` for the object as a whole.
        message: what is wrong; without the value, so that equal findings can be counted together.
        remedy: what to do.
        value: the value concerned.
    """

    field: str | None
    message: str
    remedy: str
    value: Any = None


Check = Callable[[Any], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with its code and severity; the docstring of the check says why it matters."""

    code: str
    severity: str
    check: Check


RULES: dict[str, list[Rule]] = {}
"""The rules of each kind, in the order in which they were added."""


def rule(*kinds: str, code: str, severity: str) -> Callable[[Check], Check]:
    """Add a rule for objects of these kinds: a function that takes the model and yields ``Finding``s.

    The rule holds for every validation and import of this process from then on. A rule of the same code and kind that
    was added before is replaced.

    Raises:
        ValidationFailed: an unknown kind or severity.
    """
    if severity not in (ERROR, WARNING, INFO):
        raise ValidationFailed(f"A rule is {ERROR!r}, {WARNING!r} or {INFO!r}, not {severity!r}", value=severity)
    for kind in kinds:
        if kind not in MODELS:
            raise ValidationFailed(f"There is no kind {kind!r}{did_you_mean(kind, MODELS)}", value=kind)

    def add(check: Check) -> Check:
        for kind in kinds:
            others = [other for other in RULES.get(kind, ()) if other.code != code]
            RULES[kind] = [*others, Rule(code, severity, check)]
        return check

    return add
