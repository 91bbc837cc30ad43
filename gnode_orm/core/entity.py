"""The base of the 18 models: a pydantic model that is tracked.

Setting an attribute validates the value, tells the state, and keeps both sides of a relationship right. Where values
stand is told in ``core.tracked``.
"""

from __future__ import annotations

from datetime import datetime
from inspect import getattr_static
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gnode_orm.core import meta_fields
from gnode_orm.core.annotations import AnnotationDict, Watcher
from gnode_orm.core.children import Children
from gnode_orm.core.failures import misspelt, not_settable, translated
from gnode_orm.core.meta_fields import MetaField
from gnode_orm.core.portable import Portable
from gnode_orm.core.pydantic_bridge import note_given
from gnode_orm.core.quantity import from_columns
from gnode_orm.core.schema import FieldType, late
from gnode_orm.core.show import entity_html, one_line, shown_fields
from gnode_orm.core.tracked import Encoded, fill_new
from gnode_orm.errors import ReadOnlyField
from gnode_orm.location import Location

__all__ = ["Encoded", "Entity"]


class Entity(Portable):
    """Base of every model."""

    if TYPE_CHECKING:

        @property
        def location(self) -> Location | None: ...
        @property
        def id(self) -> str | None: ...
        @property
        def guid(self) -> str | None: ...
        @property
        def owner(self) -> str | None: ...
        @property
        def date_created(self) -> datetime | None: ...
        @property
        def modified(self) -> datetime | None: ...
    else:
        location = MetaField(meta_fields.location_of, "Typed address, or None until stored.")
        id = MetaField(meta_fields.id_of, "Ten characters, unique within the kind; None until stored.")
        guid = MetaField(meta_fields.guid_of, "Revision id, a new one for each version; None until stored.")
        owner = MetaField(meta_fields.owner_of, "Name of the user who made the object; None until stored.")
        date_created = MetaField(meta_fields.created, "Aware UTC datetime of the first commit; None until stored.")
        modified = MetaField(meta_fields.modified, "Aware UTC datetime of the last commit; None until stored.")

    if not TYPE_CHECKING:  # the checkers learn from the declared fields what can be given, read and set

        def __init__(self, *args: Any, **values: Any) -> None:
            # What the class has is read through the instance: the metaclass has to be asked by the slower way.
            if args:
                _take_positional(type(self), args, values)
            given = self.__given__[tuple(values)]
            try:
                held = given.accept(values)
            except ValidationError as error:
                raise translated(type(self), error) from None
            fill_new(self, held, given.fields)
            if self.__pydantic_post_init__:  # of a class below a kind
                self.model_post_init(None)
            self.check()
            if given.parents:
                self._first_references(given.parents)

        def __getattr__(self, name: str) -> Any:
            place = type(self).__as_read__.get(name)
            if place is not None:
                state = self._state
                if state is not None and state.fields:
                    value = self.__dict__[name] = state.fields[place]
                    return value
            spec = type(self).__spec__.by_name.get(name)
            if spec is None:
                if name in type(self).__private_attributes__:
                    return super().__getattr__(name)
                raise misspelt(type(self), name)
            if spec.type is FieldType.REF:
                return self._resolve(spec)
            return self._materialise(spec)

        def __setattr__(self, name: str, value: Any) -> None:
            cls = type(self)
            validate = cls.__validators__.get(name)
            if validate is None or name == "ext":
                return self._set_other(name, value)
            try:
                value = validate(value)
            except ValidationError as error:
                raise translated(cls, error, field=name) from None
            if name in cls.__references__:
                return self._set_reference(name, value)
            if name in cls.__spec__.documents:
                value = AnnotationDict(value, Watcher(self, name))
            if self._state is not None:
                self._remember(name)
            held = self.__dict__
            is_columns = type(value) is tuple and name in cls.__spec__.late_names
            held[name] = from_columns(*value[:2]) if is_columns else value
            held.pop(late(name), None)
            if name not in self.__pydantic_fields_set__:
                note_given(self, name)

        def __delattr__(self, name: str) -> None:
            raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted; set it to None")

    def check(self) -> None:
        """Check what concerns several fields together; run on construction and before every write.

        Raises:
            ValidationFailed: for instance labels that do not match the times.
        """

    def _accepted(self, name: str, value: Any) -> Any:
        """Give a value as the field would keep it; nothing changes."""
        try:
            return type(self).__validators__[name](value)
        except ValidationError as error:
            raise translated(type(self), error, field=name) from None

    def _set_other(self, name: str, value: Any) -> None:
        name = type(self).__synonyms__.get(name, name)
        if name == "ext":
            text = f"{type(self).__name__}.ext is kept by the package and cannot be set"
            raise ReadOnlyField(text, entity=type(self).__name__, field=name, value=value)
        if name in type(self).__validators__:
            setattr(self, name, value)
        elif name in type(self).__private_attributes__:
            super().__setattr__(name, value)
        elif isinstance(getattr_static(type(self), name, None), property | Children | MetaField):
            object.__setattr__(self, name, value)
        else:
            raise not_settable(type(self), name)

    def __repr__(self) -> str:
        return one_line(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return entity_html(self)

    def __repr_args__(self) -> Any:
        return shown_fields(self)

    def __rich_repr__(self) -> Any:
        yield from shown_fields(self)

    def __dir__(self) -> list[str]:
        return dir(type(self))

    def __iter__(self) -> Any:
        yield from self._values().items()


def _take_positional(cls: type[Entity], args: tuple[Any, ...], values: dict[str, Any]) -> None:
    name = cls.__positional__
    if len(args) != 1 or name in values:
        raise TypeError(f"{cls.__name__} takes one value by position, {name}; give the others by name")
    values[name] = args[0]
