"""The bound parameters of one statement, and the statement that has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter

from gnode_orm.stores.local.database import Compiler
from gnode_orm.stores.local.shapes import Many, Slot

Convert = Callable[[Any], Any]


class Binds:
    """Names the values of a statement while it is built."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler
        self.constants: dict[str, Any] = {}
        self.slots: list[tuple[str, int, Convert]] = []

    def constant(self, value: Any, type_: Any) -> BindParameter[Any]:
        """Bind a value that belongs to the shape of the query."""
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return sa.bindparam(name, type_=type_)

    def slot(self, slot: Slot, convert: Convert, type_: Any) -> BindParameter[Any]:
        """Bind a value of the query, brought into the column's form each time."""
        return sa.bindparam(self._slot_name(slot.index, convert), type_=type_)

    def id_list(self, slot: Many, convert: Convert) -> str:
        """Bind a list of ids; gives the parameter's name."""
        return self._slot_name(slot.index, lambda values: self.compiler.bind_ids([convert(value) for value in values]))

    def _slot_name(self, index: int, convert: Convert) -> str:
        self.slots.append((f"v{len(self.slots)}", index, convert))
        return self.slots[-1][0]


@dataclass(frozen=True)
class Statement:
    """A compiled statement and how its parameters come from the values of a query.

    Attributes:
        extra: how many columns behind the record belong to the cursor.
    """

    text: str
    constants: dict[str, Any]
    slots: Sequence[tuple[str, int, Convert]]
    extra: int = 0

    def params(self, values: Sequence[Any], **more: Any) -> dict[str, Any]:
        """The parameters for the values of one query."""
        return {**self.constants, **{name: convert(values[at]) for name, at, convert in self.slots}, **more}
