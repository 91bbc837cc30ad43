"""Rows of new objects, written while somebody reads the objects."""

from __future__ import annotations

from typing import Any

from gnode_orm import Event
from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.state import Status
from gnode_orm.session.rows import rows_of


class ReadMeanwhile(dict[str, Any]):
    """The values of an event, whose time another thread reads as soon as its row is begun."""

    event: Event | None

    def get(self, name: str, default: Any = None) -> Any:
        found = super().get(name, default)
        event, self.event = self.event, None
        if event is not None:
            assert event.time is not None
        return found


def test_a_value_that_another_thread_reads_for_the_first_time_is_written() -> None:
    event = Event(time=(5.0, "ms"))
    event._enter(None, None, Status.PENDING, id=7)
    values = ReadMeanwhile(vars(event))
    values.event = event
    object.__setattr__(event, "__dict__", values)
    (row,) = rows_of("event", [event], lambda entity, name, value: (None, None))
    written = dict(zip(("id", *SCHEMA["event"].write_columns), row, strict=True))
    assert (written["id"], written["time"], written["time_unit"]) == (7, 5.0, "ms")
