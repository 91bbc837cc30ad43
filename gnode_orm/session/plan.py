"""The plan of a commit: what would be written, in the order of writing. Pure data about the pending objects."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, NamedTuple

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import DeletePreview
from gnode_orm.core.kind_counts import counts_in_words
from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.shortened import shortened
from gnode_orm.core.typed_json import encode
from gnode_orm.errors import UnsupportedByStore
from gnode_orm.location import Location

Operation = Literal["create", "set", "move", "link", "unlink", "delete"]
_COLOURS = {
    "create": "green", "link": "green", "delete": "red", "unlink": "red", "set": "yellow", "move": "cyan",
}  # fmt: skip
_ON_WHITE = {**_COLOURS, "set": "darkgoldenrod", "move": "teal"}
_SIGNS = {"create": "+", "set": "~", "move": ">", "link": "+", "unlink": "-", "delete": "-"}


class PlanItem(NamedTuple):
    """One line of a plan.

    Attributes:
        op: ``create``, ``set`` (a field), ``move`` (a foreign key), ``link``, ``unlink`` (many-to-many) or ``delete``.
        obj: the entity concerned.
        field: the field that changes; ``None`` for create and delete.
        old, new: its value before and after; for a cascading delete, ``old`` counts what goes with it.
    """

    op: Operation
    obj: Any
    field: str | None = None
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        head = f"{_SIGNS[self.op]} {self.op:<6} {self.obj!r}"
        if self.op == "delete" and self.old:
            return f"{head} with {counts_in_words(self.old)}"
        return head if self.field is None else f"{head}.{self.field}: {_shown(self.old)} -> {_shown(self.new)}"


@dataclass(frozen=True, slots=True)
class PlannedUpdate:
    """The new columns of one stored object."""

    obj: Any
    values: dict[str, Any]
    arrays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedDelete:
    """One object to delete, with what the preview of a cascade saw."""

    obj: Any
    cascade: DeletePreview | None


@dataclass(slots=True)
class Plan:
    """What a commit would write. Prints as one line for each change; a sequence of ``PlanItem``."""

    creates: list[Any] = field(default_factory=list)
    changes: list[PlanItem] = field(default_factory=list)
    """The lines of everything but the objects to create."""
    updates: list[PlannedUpdate] = field(default_factory=list)
    deletes: list[PlannedDelete] = field(default_factory=list)
    reviewed: list[tuple[Any, ...]] = field(default_factory=list)
    """What is compared with what is pending when a reviewed plan is committed."""

    @property
    def items(self) -> list[PlanItem]:
        """Every line, made when somebody looks: a commit needs none for what it creates."""
        return [*(PlanItem("create", entity) for entity in self.creates), *self.changes]

    def __len__(self) -> int:
        return len(self.creates) + len(self.changes)

    def __iter__(self) -> Iterator[PlanItem]:
        return iter(self.items)

    def __getitem__(self, place: int) -> PlanItem:
        return self.items[place]

    def counts(self) -> dict[str, int]:
        """Objects by operation and class, such as ``{"create Segment": 3}``."""
        created = Counter(map(type, self.creates))
        seen: dict[tuple[str, int], str] = {}
        for item in self.changes:
            verb = "delete" if item.op == "delete" else "change"
            seen.setdefault((verb, id(item.obj)), f"{verb} {type(item.obj).__name__}")
        counts: Counter[str] = Counter()
        for model, count in created.items():
            counts[f"create {model.__name__}"] += count
        counts.update(seen.values())
        for planned in self.deletes:
            for kind, count in (planned.cascade.children if planned.cascade else {}).items():
                counts[f"delete {SCHEMA[kind].class_name}"] += count
        return dict(counts)

    def review(self) -> None:
        """Keep what two plans share when they would write the same: edits in place would show in the items too."""
        self.reviewed = [(item.op, id(item.obj), item.field, _content(item)) for item in self.items]

    def to_dataframe(self) -> Any:
        """Give the items as a pandas table with the columns op, object, location, field, old and new.

        Raises:
            UnsupportedByStore: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise UnsupportedByStore("Tables need pandas: pip install 'gnode-orm[pandas]'") from error
        rows = [(i.op, type(i.obj).__name__, i.obj.location, i.field, _shown(i.old), _shown(i.new)) for i in self.items]
        return pd.DataFrame(rows, columns=["op", "object", "location", "field", "old", "new"])

    def __str__(self) -> str:
        """One line for each change; in colour where it is printed to a terminal."""
        return self._coloured() if sys.stdout and sys.stdout.isatty() else self.__rich__().plain

    def _coloured(self) -> str:
        from rich.console import Console

        # It knows what the terminal can do, and whether colours are wanted.
        console = Console(file=sys.stdout, legacy_windows=False)
        with console.capture() as capture:
            console.print(self.__rich__(), end="", soft_wrap=True)
        return capture.get()

    def __rich__(self) -> Any:
        from rich.text import Text

        lines = [Text(str(item), style=_COLOURS[item.op]) for item in self.items]
        return Text("\n").join([*lines, Text(self._total())])

    def _total(self) -> str:
        if not self:
            return "Nothing to write"
        return "(" + ", ".join(f"{verb} {count}" for verb, count in self.counts().items()) + ")"

    def _repr_html_(self) -> str:
        rows = "".join(map(_html_row, self.items))
        head = "<tr><th>op<th>object<th>field<th>old<th>new</tr>" if rows else ""
        return f"<table><caption>{escape(self._total())}</caption>{head}{rows}</table>"


def _html_row(item: PlanItem) -> str:
    goes_along = f" with {counts_in_words(item.old)}" if item.op == "delete" and item.old else ""
    values = ("", "") if item.field is None else (_shown(item.old), _shown(item.new))
    cells = [item.op, f"{item.obj!r}{goes_along}", item.field or "", *values]
    return f'<tr style="color: {_ON_WHITE[item.op]}">' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _content(item: PlanItem) -> Any:
    if item.op != "create":
        return _key(item.new)
    return tuple(_key(item.obj._raw(name)) for name in item.obj.__spec__.by_name)


def _key(value: Any) -> Any:
    # Not by repr, which rounds numbers and shortens arrays.
    return id(value) if hasattr(value, "__spec__") or isinstance(value, ArrayHandle) else encode(value)


def _shown(value: Any) -> str:
    if hasattr(value, "__spec__"):
        return str(value.location or f"new {type(value).__name__}")
    text = repr(value) if isinstance(value, str) and not isinstance(value, Location) else str(value)
    return shortened(text, 80)
