"""What a converter gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gnode_orm.core.entity import Entity


@dataclass
class Conversion:
    """What came of one native object.

    Attributes:
        model: the model that stands for the object itself.
        pairs: each native object that was met, with the model that stands for it, parents first.
        removed: models that stood for what the object no longer has; they hang nowhere any more, and a session
            deletes them.
    """

    model: Entity
    pairs: list[tuple[Any, Entity]]
    removed: list[Entity] = field(default_factory=list)
