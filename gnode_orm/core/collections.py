"""Collections: lazy views over foreign keys. Nothing is stored on the "one" side.

A collection of a stored object is read at first use, in insertion order; appending never loads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from gnode_orm.core.arguments import check
from gnode_orm.core.members import Members
from gnode_orm.core.schema import Relation
from gnode_orm.errors import ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity

M = TypeVar("M", bound="Entity")


class Collection(Members, MutableSequence[M]):
    """The members of one collection of one object, in insertion order.

    ``append`` and ``remove`` set the members' foreign keys; assigning a list adds and removes what differs.
    """

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._load())

    @overload
    def __getitem__(self, place: int) -> M: ...
    @overload
    def __getitem__(self, place: slice) -> list[M]: ...
    def __getitem__(self, place: int | slice) -> Any:
        return self._load()[place]

    def __iter__(self) -> Iterator[M]:
        return iter(list(self._load()))

    def __contains__(self, member: object) -> bool:
        return id(member) in self._loaded_members()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Collection | list | tuple):
            return NotImplemented
        mine, theirs = self._load(), list(other)
        return len(mine) == len(theirs) and all(a is b for a, b in zip(mine, theirs, strict=True))

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __setitem__(self, place: int, value: M) -> None: ...
    @overload
    def __setitem__(self, place: slice, value: Iterable[M]) -> None: ...
    def __setitem__(self, place: int | slice, value: Any) -> None:
        members = list(self._load())
        members[place] = value
        self._replace(members)

    def __delitem__(self, place: int | slice) -> None:
        taken: Any = self._load()[place]
        for member in list(taken) if isinstance(place, slice) else [taken]:
            self.remove(member)

    def insert(self, place: int, value: M) -> None:
        """Hang a member in. Members keep insertion order, so ``place`` must be the end.

        Raises:
            ValidationFailed: it is not.
        """
        if place < len(self):
            raise ValidationFailed(f"{self!r} keeps insertion order; append to it instead of inserting at {place}")
        self.append(value)

    def append(self, value: M) -> None:
        """Hang a member in by setting its foreign key to this object.

        Raises:
            ValidationFailed: it is an object of another kind, or of another session.
        """
        self._check(value)
        if self._relation.many_to_many:
            link(self, value)
        else:
            setattr(value, self._relation.fk, self._owner)

    def extend(self, values: Iterable[M]) -> None:
        """Hang several members in."""
        check(f"{self._relation.name}.extend(values)", values, Iterable, "a list of objects")
        for value in list(values):
            self.append(value)

    def reverse(self) -> None:
        """Members keep insertion order, so this is refused."""
        raise ValidationFailed(f"{self!r} keeps insertion order and cannot be reversed; use reversed(...)")

    def clear(self) -> None:
        """Take every member out."""
        self._replace([])

    def remove(self, value: M) -> None:
        """Take a member out by setting its foreign key to ``None``.

        Raises:
            ValueError: it is not in the collection.
        """
        if self._relation.many_to_many:
            unlink(self, value)
        elif value in self:
            setattr(value, self._relation.fk, None)
        else:
            raise ValueError(f"{value!r} is not in {self!r}")

    def __repr__(self) -> str:
        name = f"{type(self._owner).__name__}.{self._relation.name}"
        if self._members is None and getattr(self._owner._state, "stored", False):
            return f"<{name}: not loaded>"
        members = self._load()
        shown = ", ".join(map(repr, members[:3]))
        return f"<{name}: {len(members)} [{shown}{', ...' if len(members) > 3 else ''}]>"

    def _repr_html_(self) -> str:
        from gnode_orm.core.show import table_html  # for notebooks alone

        caption = f"{type(self._owner).__name__}.{self._relation.name}: {len(self)} {self._relation.kind}"
        return table_html(caption, self._relation.kind, self[:10])

    def _replace(self, members: list[Any]) -> None:
        for member in members:
            self._check(member)
        wanted = {id(member): member for member in members}
        for member in list(self._load()):
            if id(member) not in wanted:
                self.remove(member)
        for member in wanted.values():
            if member not in self:
                self.append(member)

    def _check(self, value: Any) -> None:
        is_object = hasattr(value, "__spec__") and not isinstance(value, type)  # conditions have a kind too
        if not is_object or value.kind != self._relation.kind:
            name = f"{type(self._owner).__name__}.{self._relation.name}"
            raise ValidationFailed(f"{name} holds objects of kind {self._relation.kind}, not {value!r}", value=value)


def collection_named(owner: Any, name: str) -> Collection[Any]:
    """Give the collection of an entity that a foreign key names, made at first use."""
    collections = owner._collections
    found = None if collections is None else collections.get(name)
    return collection_of(owner, type(owner).__spec__.relation_by_name[name]) if found is None else found


def collection_of(owner: Any, relation: Relation) -> Collection[Any]:
    """Give the collection object of an entity, made at first use."""
    collections = owner._collections
    if collections is None:
        collections = {}
        object.__setattr__(owner, "_collections", collections)
    found: Collection[Any] | None = collections.get(relation.name)
    if found is None:
        found = collections[relation.name] = Collection(owner, relation)
    return found


def link(collection: Collection[Any], member: Any) -> None:
    """Join the two sides of a many-to-many collection."""
    if member in collection:
        return
    collection._owner._check_sessions(member)
    other = other_side(collection, member)
    collection._owner._before_edit(collection._relation.name)
    member._before_edit(other._relation.name)
    collection.add_silently(member)
    other.add_silently(collection._owner)
    try:
        collection._owner._join(member)
    except BaseException:
        collection.discard_silently(member)
        other.discard_silently(collection._owner)
        raise


def unlink(collection: Collection[Any], member: Any) -> None:
    """Part the two sides of a many-to-many collection.

    Raises:
        ValueError: they are not joined.
    """
    if member not in collection:
        raise ValueError(f"{member!r} is not in {collection!r}")
    other = other_side(collection, member)
    collection._owner._before_edit(collection._relation.name)
    member._before_edit(other._relation.name)
    collection.discard_silently(member)
    other.discard_silently(collection._owner)


def other_side(collection: Collection[Any], member: Any) -> Collection[Any]:
    """Give the collection of ``member`` that mirrors a many-to-many collection."""
    return collection_of(member, type(member).__spec__.relation_by_name[collection._relation.fk])


def leave_links(entity: Any) -> None:
    """Take a new object that leaves its session out of the channels or groups it was joined to.

    A link to it could not be written. It keeps its own account of them, for when it is added again.
    """
    for other in _other_sides(entity):
        other.discard_silently(entity)


def take_up_links(entity: Any) -> None:
    """Hang a new object that enters a session in where its own account says so."""
    for other in _other_sides(entity):
        other._owner._before_edit(other._relation.name)
        other.add_silently(entity)


def _other_sides(entity: Any) -> list[Collection[Any]]:
    several = [item for item in (entity._collections or {}).values() if item._relation.many_to_many]
    return [other_side(collection, member) for collection in several for member in collection.known()]
