"""Every error that this package raises on purpose.

    GnodeError
    ├── ValidationFailed (ValueError)        a value, a field name, a unit or a file content is not acceptable
    │   ├── ReadOnlyField (AttributeError, TypeError)    a value that the store or the package decides
    │   ├── UnitError                        a unit text outside the grammar, or of the wrong dimension
    │   └── QueryError                       a condition, lookup or ordering that has no meaning
    │       └── UnknownField (AttributeError)    a name that the class does not have
    ├── ConflictError                        somebody else changed what this commit is based on
    ├── PartialCommit                        a peer without atomic writes took only a part
    ├── IntegrityError                       a delete that would orphan children, a cycle, a dangling reference
    │   └── CycleError                       references that form a ring
    ├── SessionError (RuntimeError)          a session used in a way that it forbids
    │   └── DetachedError                    loading through a session that is gone
    ├── NotFound (LookupError)               no such object, lab or file
    ├── MultipleFound (LookupError)          several rows where one was asked for
    ├── AccessDenied (PermissionError)       readable, but not writable by this user
    │   └── AuthenticationFailed             unknown user, wrong password, expired token
    ├── StoreUnavailable (ConnectionError)   the store cannot be reached, is full or is read-only
    ├── UnsupportedByStore                   this store cannot keep what was asked of it
    └── FormatError (ValueError)             a lab or a file whose format cannot be read

Messages are built first and raised after; what a program needs stands on attributes, not only in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

__all__ = [
    "AccessDenied",
    "AuthenticationFailed",
    "ConflictError",
    "CycleError",
    "DetachedError",
    "DuplicateUploadWarning",
    "FormatError",
    "GnodeError",
    "GnodeWarning",
    "IntegrityError",
    "LazyLoadWarning",
    "LeftOutWarning",
    "LostUnitsWarning",
    "MultipleFound",
    "NativeChangedWarning",
    "NotFound",
    "PartialCommit",
    "QueryError",
    "ReadOnlyField",
    "SessionError",
    "StoreUnavailable",
    "UncommittedChangesWarning",
    "UnitError",
    "UnknownField",
    "UnsupportedByStore",
    "ValidationFailed",
    "did_you_mean",
]


class GnodeError(Exception):
    """Base of every error of this package."""


class ValidationFailed(GnodeError, ValueError):
    """A value that a field does not accept.

    Attributes:
        entity: class or kind concerned, for instance ``"AnalogSignal"``.
        field: the field, or ``None`` where the object as a whole is wrong.
        value: the value given.
        errors: one ``(field, message)`` pair for each thing that is wrong.
    """

    def __init__(
        self,
        message: str,
        *,
        entity: str | None = None,
        field: str | None = None,
        value: Any = None,
        errors: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.entity = entity
        self.field = field
        self.value = value
        self.errors = list(errors) or ([(field, message)] if field else [])


class ReadOnlyField(ValidationFailed, AttributeError, TypeError):
    """A value that the store or this package decides, such as ``id`` or ``ext``, and that users read only."""


class UnitError(ValidationFailed):
    """A unit text that the grammar refuses, or a unit of the wrong dimension."""


class QueryError(ValidationFailed):
    """A condition, lookup, ordering or eager path that cannot be answered."""


class UnknownField(QueryError, AttributeError):
    """A field, collection or lookup that the class does not have; the message says what was meant."""


class ConflictError(GnodeError):
    """Objects of this commit were changed by somebody else since they were read.

    Nothing was written. ``conflicts`` holds one entry for each object and field; settle them with ``resolve``
    and commit again.
    """

    def __init__(
        self,
        message: str,
        conflicts: Iterable[Any] = (),
        *,
        resolver: Callable[[ConflictError, Any], None] | None = None,
    ) -> None:
        super().__init__(message)
        self.conflicts = list(conflicts)
        self._resolver = resolver

    def resolve(self, how: Any) -> None:
        """Settle every conflict by ``"mine"``, ``"theirs"``, ``"merge"`` or a function of one conflict.

        Raises:
            SessionError: it belongs to no open session.
        """
        if self._resolver is None:
            raise SessionError("This conflict no longer belongs to an open session; refresh the objects instead")
        self._resolver(self, how)


class PartialCommit(GnodeError):
    """A peer that cannot write atomically took only a part of a commit.

    Attributes:
        done, failed, untried: the plan items in each state; a second commit sends only the rest.
    """

    def __init__(self, message: str, *, done: Sequence[Any], failed: Sequence[Any], untried: Sequence[Any]) -> None:
        super().__init__(message)
        self.done = list(done)
        self.failed = list(failed)
        self.untried = list(untried)


class IntegrityError(GnodeError):
    """A change that would leave the lab inconsistent, such as deleting a parent that still has children.

    Attributes:
        counts: how many objects of each kind stand in the way.
    """

    def __init__(self, message: str, *, counts: dict[str, int] | None = None) -> None:
        super().__init__(message)
        self.counts = dict(counts or {})


class CycleError(IntegrityError):
    """References that form a ring; ``cycle`` lists its members in order."""

    def __init__(self, message: str, cycle: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.cycle = list(cycle)


class SessionError(GnodeError, RuntimeError):
    """A session used in a way that it forbids."""


class DetachedError(SessionError):
    """Something had to be loaded, but the object's session is closed or it never had one."""


class NotFound(GnodeError, LookupError):
    """No such object, lab or file."""


class MultipleFound(GnodeError, LookupError):
    """More than one object where exactly one was asked for."""


class AccessDenied(GnodeError, PermissionError):
    """The object can be read, but this user may not change it."""

    # PermissionError formats itself from errno; the message is what users need.
    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class AuthenticationFailed(AccessDenied):
    """The user is unknown, the password is wrong, or the token has expired."""


class StoreUnavailable(GnodeError, ConnectionError):
    """The store cannot be reached or cannot take a write now (full disk, read-only directory, lost connection)."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UnsupportedByStore(GnodeError):
    """The store cannot keep or do what was asked; said before anything is sent."""


class FormatError(GnodeError, ValueError):
    """A lab or a file in a format that cannot be read."""


class GnodeWarning(UserWarning):
    """Base of every warning of this package."""


class UncommittedChangesWarning(GnodeWarning):
    """A session was left while something was pending."""


class DuplicateUploadWarning(GnodeWarning):
    """The same native object was uploaded twice, which makes two objects."""


class LeftOutWarning(GnodeWarning):
    """A store has no place for something that a converter keeps beside the fields; the rest is written."""


class LostUnitsWarning(GnodeWarning):
    """A server may show another unit than the one that is stored."""


class NativeChangedWarning(GnodeWarning):
    """A neo or odML object was edited after its model was added; the edit is not part of the commit."""


class LazyLoadWarning(GnodeWarning):
    """A relation was loaded for one object after the other, where one query could have loaded it for all."""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'name'?"`` for the nearest known word, or an empty string."""
    if not isinstance(word, str):
        return ""
    words = list(known)
    matches = get_close_matches(word, words, n=1, cutoff=0.6)
    matches += [item for item in words if item.casefold() == word.casefold()]
    return f"; did you mean {matches[0]!r}?" if matches else ""
