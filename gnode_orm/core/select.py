"""A query as plain data: what to select, under which conditions, in which order. Serialisable; knows no store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeAlias

from gnode_orm.errors import QueryError
from gnode_orm.location import Location

MAX_DEPTH = 40
"""How deep conditions stand within each other at most, and steps and keys behind each other."""


def check_length(what: str, names: Sequence[str]) -> None:
    """Refuse more steps of a path, or keys of annotations, than databases follow.

    Raises:
        QueryError: there are more than ``MAX_DEPTH``.
    """
    if len(names) > MAX_DEPTH:
        shown = ".".join(names[:3])
        raise QueryError(
            f"{shown}...: at most {MAX_DEPTH} {what} stand behind each other, not {len(names)}; ask for the objects on "
            "the way, and go on from them",
            value=len(names),
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with a unit inside a condition; compared by its SI value with columns of the same dimension."""

    value: float
    unit: str


Scalar: TypeAlias = bool | int | float | str | date | datetime | Measure | Location | None


@dataclass(frozen=True, slots=True)
class Attr:
    """A field seen from the selected kind.

    Attributes:
        path: foreign keys to follow, then the field: ``("segment", "block", "name")``. Besides the declared fields,
            ``id``, ``location``, ``owner``, ``guid``, ``date_created`` and ``modified`` may end a path.
        keys: keys inside a JSON field: ``annotations["a"]["b"]`` has ``("a", "b")``.
        part: a part of a date or datetime: ``"year"``, ``"month"``, ``"day"``, ``"hour"`` or ``"week_day"``.
    """

    path: tuple[str, ...]
    keys: tuple[str, ...] = ()
    part: str | None = None

    def __post_init__(self) -> None:
        check_length("steps", self.path)
        check_length("keys", self.keys)

    def __str__(self) -> str:
        text = ".".join(self.path) + "".join(f"[{key!r}]" for key in self.keys)
        return f"{text}.{self.part}" if self.part else text


OPERATORS = frozenset(
    {
        "eq", "ne", "lt", "le", "gt", "ge", "in", "between", "is_null",
        "contains", "startswith", "endswith", "iexact", "icontains", "istartswith", "iendswith", "regex", "iregex",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """``attr operator value``. ``in`` and ``between`` take a tuple, ``is_null`` a bool.

    Two-valued: a comparison with a null field is false, ``ne`` with a null field is true, and ``Not`` turns either.
    """

    attr: Attr
    operator: str
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All of its conditions hold."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of its conditions holds."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Its condition does not hold."""

    item: Node


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True where at least one member of a collection meets ``condition`` (``None``: where there is any member).

    ``path`` follows foreign keys from the selected kind to the object that has the collection ``relation``.
    """

    path: tuple[str, ...]
    relation: str
    condition: Node | None


Node: TypeAlias = Comparison | And | Or | Not | AnyOf


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key. Nulls and NaN come last in both directions."""

    attr: Attr
    descending: bool = False


@dataclass(frozen=True)
class Select:
    """One query.

    Attributes:
        order: sort keys; creation order (``created``, then ``id``) breaks ties and is the default.
        after: the cursor of an earlier page, to go on behind its last row (keyset paging).
        eager: dotted paths over collections and references to read in the same call, for instance
            ``("segments", "segments.analogsignals")``. A path implies its prefixes.
        at: read the state as of this version, or ``None`` for now.
    """

    kind: str
    where: Node | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    after: tuple[Any, ...] | None = None
    eager: tuple[str, ...] = ()
    at: int | None = None

    def narrowed(self, condition: Node) -> Select:
        """Add one condition."""
        if self.where is None:
            return replace(self, where=condition)
        items = self.where.items if isinstance(self.where, And) else (self.where,)
        return replace(self, where=And((*items, condition)))


@dataclass(slots=True)
class EagerRows:
    """Records read along one eager path.

    Attributes:
        path: the dotted path from the selected kind.
        links: for a many-to-many collection, ``(parent id, child id)`` in the order of linking; else ``None``.
    """

    path: str
    kind: str
    rows: list[tuple[Any, ...]]
    links: list[tuple[int, int]] | None = None


@dataclass(slots=True)
class Selected:
    """The answer to a select: records, and a cursor where a limit cut them off."""

    kind: str
    rows: list[tuple[Any, ...]]
    eager: list[EagerRows] = field(default_factory=list)
    cursor: tuple[Any, ...] | None = None


def walk(node: Node | None) -> Iterator[Node]:
    """Every node of a condition, depth first."""
    stack = [node] if node is not None else []
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, And | Or):
            stack.extend(reversed(current.items))
        elif isinstance(current, Not):
            stack.append(current.item)
        elif isinstance(current, AnyOf) and current.condition is not None:
            stack.append(current.condition)
