"""How a class declares its collections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from gnode_orm.core.arguments import check
from gnode_orm.core.collections import Collection, collection_of
from gnode_orm.core.expressions import RelationColumn
from gnode_orm.core.schema import Relation

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity

M = TypeVar("M", bound="Entity")


class Children(Generic[M]):
    """Declare a collection: the kind of its members, and the foreign key that hangs them in.

    For a many-to-many collection the "foreign key" is the name of the collection on the other side.
    """

    def __init__(self, kind: str, fk: str, *, many_to_many: bool = False) -> None:
        self.kind = kind
        self.fk = fk
        self.many_to_many = many_to_many
        self.relation = Relation("", kind, fk, many_to_many)

    def __set_name__(self, owner: type, name: str) -> None:
        self.relation = Relation(name, self.kind, self.fk, self.many_to_many)

    @overload
    def __get__(self, obj: None, owner: Any) -> RelationColumn[M]: ...
    @overload
    def __get__(self, obj: Entity, owner: Any) -> Collection[M]: ...
    def __get__(self, obj: Any, owner: Any) -> Any:
        if obj is not None:
            return collection_of(obj, self.relation)
        return RelationColumn(owner.kind, (self.relation.name,), self.relation)

    def __set__(self, obj: Any, values: Iterable[M]) -> None:
        check(f"{type(obj).__name__}.{self.relation.name}", values, Iterable, "a list of objects")
        collection_of(obj, self.relation)[:] = values
