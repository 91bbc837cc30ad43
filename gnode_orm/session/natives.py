"""neo and odML objects in a session: each has one model that stands for it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gnode_orm.core.entity import Entity
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.natives import converter
from gnode_orm.session.deleting import mark

if TYPE_CHECKING:
    from gnode_orm.session.session import Session


class NativeObjects:
    """Which model stands for which native object, by identity: neo objects have neither a hash nor an equality."""

    def __init__(self) -> None:
        self._models: dict[int, tuple[weakref.ref[Any], Entity]] = {}

    def known(self) -> dict[int, Entity]:
        """Models by the id of their native object, for those that are alive."""
        return {key: model for key, (native, model) in self._models.items() if native() is not None}

    def remember(self, pairs: Iterable[tuple[Any, Entity]]) -> None:
        """Keep pairs of native object and model."""
        for native, model in pairs:
            key = id(native)
            self._models[key] = (weakref.ref(native, lambda _, key=key: self._models.pop(key, None)), model)

    def forget(self, models: Iterable[Entity]) -> None:
        """Drop models that are no longer in the session."""
        gone = {id(model) for model in models}
        self._models = {key: pair for key, pair in self._models.items() if id(pair[1]) not in gone}

    def clear(self) -> None:
        """Drop everything."""
        self._models.clear()


def library_of(native: Any) -> str:
    """Tell whether an object comes from neo or odml.

    Raises:
        ValidationFailed: from neither.
    """
    for base in type(native).__mro__:
        package = base.__module__.partition(".")[0]
        if package in ("neo", "odml"):
            return package
    raise ValidationFailed(
        f"{native!r} cannot be added: give a model such as Block, or a neo or odML object", value=native
    )


def add_native(session: Session, natives: NativeObjects, native: Any) -> Entity:
    """Give the model that stands for a native object, added to the session; the same one for the same object."""
    library = library_of(native)
    session._check_writable()
    conversion = converter(library).convert(native, natives.known())
    natives.remember(conversion.pairs)
    session._add(conversion.model)
    for gone in conversion.removed:
        if gone._state is not None:
            mark(session, gone, cascade=True)
    model: Entity = conversion.model
    return model
