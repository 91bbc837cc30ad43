"""A change set that was sent, until it is known what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gnode_orm.core.changes import ChangeSet
from gnode_orm.stores.rest.v1.delta import Key, Sent
from gnode_orm.stores.rest.v1.finding import Before, Finder
from gnode_orm.stores.rest.v1.records import Json


@dataclass(eq=False)
class Underway:
    """A change set that was sent, until it is known what became of it.

    Attributes:
        bases: JSON of each stored object that the bulk write changes, as it was before.
        answered: whether the server said that it wrote it.
    """

    changes: ChangeSet
    digest: bytes
    objects: list[Sent]
    bases: dict[Key, Json]
    finder: Finder
    before: Before
    answered: bool = False
    deleted: set[Key] = field(default_factory=set)
