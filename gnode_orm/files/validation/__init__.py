"""Validation of files, neo and odML objects and models by one set of rules, which judge models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from gnode_orm.core.entity import Entity
from gnode_orm.errors import FormatError, GnodeError, UnitError, ValidationFailed
from gnode_orm.files.path_text import path_text
from gnode_orm.files.validation.registry import RULES, Finding, Rule, rule
from gnode_orm.files.validation.report import ERROR, INFO, WARNING, Issue, Report, short
from gnode_orm.files.validation.walk import walk

if TYPE_CHECKING:
    from gnode_orm.files.recordings import Recording

# Importing these modules adds their rules.
for _module in ("signal_rules", "channel_rules", "time_rules", "structure_rules", "metadata_rules"):
    import_module(f"{__name__}.{_module}")

_Rules = Mapping[str, Sequence[Rule]]


class Complete(Protocol):
    """Gives a block what an import gives it besides what its recording holds."""

    def __call__(self, block: Any, recording: Recording, number: int) -> object: ...


REFUSALS = ("not-convertible", "unit-refused", "multiple-parents")
"""The codes of what a conversion refuses."""

__all__ = ["ERROR", "INFO", "RULES", "WARNING", "Finding", "Issue", "Report", "Rule", "rule", "validate"]


def validate(target: Any, *, template: Any = None) -> Report:
    """Judge a file or folder, a neo or odML object, or a model with everything below it.

    ``template`` is an odML or TOML file that says what a lab wants to know, see ``gnode_orm.files.templates``.

    Raises:
        NotFound: there is nothing at the path.
        ValidationFailed: the target is none of these, or a rule of your own fails.
    """
    more = _rules_of(template)
    if isinstance(target, str | Path):
        return Report(path_text(target), _of_path(Path(target), more))
    if isinstance(target, Entity):
        return Report(repr(target), _of_model(target, target.kind, more))
    library = type(target).__module__.split(".")[0]
    if library not in ("neo", "odml"):
        raise ValidationFailed(
            f"{type(target).__name__} cannot be validated; give a path, a neo or odML object, or a model", value=target
        )
    subject = f"{library} {type(target).__name__}"
    return Report(subject, _of_native(target, library, type(target).__name__.lower(), more))


def validate_as_imported(path: Path, *, template: Any, reading: Mapping[str, Any], complete: Complete) -> Report:
    """Judge a recording as an import would: opened with its arguments, and each block completed before it is judged."""
    return Report(str(path), _of_path(path, _rules_of(template), reading, complete))


def _rules_of(template: Any) -> _Rules:
    from gnode_orm.files.templates import Template, read_template

    if template is None:
        return {}
    return (template if isinstance(template, Template) else read_template(template)).rules


def _as_it_is(block: Entity, recording: Recording, number: int) -> None:
    """Add nothing to a block."""


def _of_path(
    path: Path, more: _Rules, reading: Mapping[str, Any] = MappingProxyType({}), complete: Complete = _as_it_is
) -> Iterator[Issue]:
    from gnode_orm.files.odml import is_odml
    from gnode_orm.files.recognition import check_readable

    try:
        check_readable(path)
        yield from _of_metadata(path, more) if is_odml(path) else _of_recording(path, more, reading, complete)
    except FormatError as error:
        yield Issue(ERROR, "unreadable-file", path_text(path.name), None, str(error), "repair or convert the file")


def _of_metadata(path: Path, more: _Rules) -> Iterator[Issue]:
    from gnode_orm.files.odml import read_odml

    file = read_odml(path)
    for warning in file.warnings:
        yield Issue(WARNING, "reader-message", path_text(path.name), None, warning, "check the file")
    yield from _of_model(file.document, "document", more)


def _of_recording(path: Path, more: _Rules, reading: Mapping[str, Any], complete: Complete) -> Iterator[Issue]:
    from gnode_orm.files.recordings import Failure, open_recording

    with open_recording(path, **reading) as recording:
        for number, native in recording.blocks():
            where = f"block[{number}]"
            if isinstance(native, Failure):
                yield Issue(ERROR, "unreadable-block", where, None, native.reason, "repair or convert the file")
            else:
                yield from _of_native(native, "neo", where, more, partial(complete, recording=recording, number=number))
        for warning in recording.warnings:
            yield Issue(WARNING, "reader-message", path_text(path.name), None, warning, "check that it is so")


def _of_native(
    native: Any, library: str, path: str, more: _Rules, complete: Callable[[Any], object] | None = None
) -> Iterator[Issue]:
    from gnode_orm.models.natives import converter

    try:
        model = getattr(converter(library), f"from_{library}")(native)
    except ValidationFailed as error:
        yield from _refused(error, path)
        return
    if complete is not None:
        complete(model)
    yield from _of_model(model, path, more)


def _refused(error: ValidationFailed, path: str) -> Iterator[Issue]:
    """Give what a conversion refused, each at the place of the object that it was found in."""
    for place, reason in error.errors or [(path, str(error))]:
        below = place.partition(".")[2]
        named = next((code for code in REFUSALS if reason.startswith(f"{code}: ")), "not-convertible")
        code = "unit-refused" if isinstance(error, UnitError) else named
        remedy = "change the object so that it can be kept, or leave it out"
        where = f"{path}.{below}" if below else path
        yield Issue(ERROR, code, where, short(error.value), reason.removeprefix(f"{code}: "), remedy)


def _of_model(model: Entity, path: str, more: _Rules) -> Iterator[Issue]:
    if _in_a_ring(model):
        remedy = "set section or document of one of them"
        yield Issue(ERROR, "section-cycle", f"{path}.section", None, "the section is inside itself", remedy)
    for where, entity in walk(model, path):
        for each in (*RULES.get(entity.kind, ()), *more.get(entity.kind, ())):
            for finding in _findings(each, entity, where):
                place = where if finding.field is None else f"{where}.{finding.field}"
                yield Issue(each.severity, each.code, place, short(finding.value), finding.message, finding.remedy)


def _findings(each: Rule, entity: Entity, where: str) -> list[Finding]:
    """Ask one rule about one object.

    Raises:
        ValidationFailed: the rule itself fails, as one of a user's own may.
    """
    try:
        found = list(each.check(entity))
        for finding in found:
            if not isinstance(finding, Finding):
                raise TypeError(f"it gives {finding!r:.60}, not a Finding")
    except GnodeError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ValidationFailed(
            f"The rule {each.code!r} fails at {where}: {type(error).__name__}: {reason}; rules yield Findings, or none"
        ) from error
    return found


def _in_a_ring(model: Any) -> bool:
    """Whether a section is its own ancestor. A ring hangs in nothing, so only what is given can be in one."""
    above, seen = model, set()
    while above is not None and above.kind == "section" and id(above) not in seen:
        seen.add(id(above))
        above = above.section
    return above is model and bool(seen)
