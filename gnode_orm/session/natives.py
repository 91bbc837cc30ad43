"""neo and odML objects in a session: each has one model that stands for it."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gnode_orm.core.entity import Entity
from gnode_orm.errors import NativeChangedWarning, ValidationFailed
from gnode_orm.models.natives import converter
from gnode_orm.session.adding import add

if TYPE_CHECKING:
    from gnode_orm.session.session import Session

_SHOWN = 5


@dataclass(slots=True)
class _Pair:
    native: weakref.ref[Any]
    model: Entity
    look: Any


class NativeObjects:
    """Which model stands for which native object, by identity: neo objects have neither a hash nor an equality."""

    def __init__(self) -> None:
        self._pairs: dict[int, _Pair] = {}

    def known(self) -> dict[int, Entity]:
        """Models by the id of their native object, for those that are alive."""
        return {key: pair.model for key, pair in self._pairs.items() if pair.native() is not None}

    def remember(self, pairs: Iterable[tuple[Any, Entity]]) -> None:
        """Keep pairs of native object and model, and how the native object looks now."""
        for native, model in pairs:
            self._pairs[id(native)] = _Pair(weakref.ref(native, self._forgetting(id(native))), model, _look(native))

    def forget(self, models: Iterable[Entity]) -> None:
        """Drop models that are no longer in the session."""
        gone = {id(model) for model in models}
        self._pairs = {key: pair for key, pair in self._pairs.items() if id(pair.model) not in gone}

    def clear(self) -> None:
        """Drop everything."""
        self._pairs.clear()

    def warn_of_edits(self) -> None:
        """Warn of native objects that were edited since they were added: the edits are not part of a commit."""
        edited = []
        for pair in self._pairs.values():
            native = pair.native()
            if native is not None and _look(native) != pair.look:
                pair.look = _look(native)
                edited.append(pair.model)
        if edited:
            shown = ", ".join(map(repr, edited[:_SHOWN])) + (", ..." if len(edited) > _SHOWN else "")
            text = f"The native objects of {shown} were edited since they were added; add them again to write the edits"
            warnings.warn(text, NativeChangedWarning, stacklevel=5)

    def _forgetting(self, key: int) -> Any:
        def forget(native: Any) -> None:
            pair = self._pairs.get(key)
            # The id may have gone over to another object by now.
            if pair is not None and pair.native is native:
                del self._pairs[key]

        return forget


def library_of(native: Any) -> str:
    """Tell whether an object comes from neo or odml.

    Raises:
        ValidationFailed: from neither.
    """
    for base in type(native).__mro__:
        package = base.__module__.partition(".")[0]
        if package in ("neo", "odml"):
            return package
    several = "; add_all() takes several" if isinstance(native, list | tuple | set) else ""
    raise ValidationFailed(
        f"{native!r} cannot be added: give a model such as Block, or a neo or odML object{several}", value=native
    )


def add_native(session: Session, natives: NativeObjects, native: Any) -> Entity:
    """Give the model that stands for a native object, added to the session; the same one for the same object.

    Where the object cannot be converted, models that stand for it already stay as they were.
    """
    library = library_of(native)
    session._check_writable()
    with session.nested():
        conversion = converter(library).convert(native, natives.known())
        add(session, conversion.model)
        for model in conversion.removed:
            if model in session:
                session.delete(model, cascade=True)
    natives.remember(conversion.pairs)
    added: Entity = conversion.model
    return added


def _look(native: Any) -> Any:
    """What can be seen of a native object at a glance: its own attributes, its members, and no samples."""
    return {name: _glance(value) for name, value in vars(native).items() if name != "parent"}


def _glance(value: Any) -> Any:
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Mapping):
        return repr(dict(value))
    if getattr(value, "shape", None) == ():
        return repr(value)
    if hasattr(value, "__len__") and not hasattr(value, "shape"):
        return tuple(map(_item, value))
    return id(value)


def _item(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else id(value)
