"""Events and epochs, single and in arrays."""

from typing import TYPE_CHECKING, ClassVar

from gnode_orm.core.fields import (
    LabelArray,
    Mapped,
    Ref,
    TimeArray,
    TimeQuantity,
    field,
    ref,
)
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.electrophysiology import DataEntity

if TYPE_CHECKING:  # named by text in the declarations below
    from gnode_orm.models.containers import Segment


class Event(DataEntity):
    """One point in time with a label (neo Event of length one)."""

    kind: ClassVar[str] = "event"
    __roots__: ClassVar[tuple[str, ...]] = ("segment",)

    label: Mapped[str | None] = field(default=None, kw_only=False)
    time: TimeQuantity = field(default=None)
    segment: Ref["Segment"] = ref("events", default=None)


class Epoch(DataEntity):
    """One stretch of time with a label (neo Epoch of length one)."""

    kind: ClassVar[str] = "epoch"
    __roots__: ClassVar[tuple[str, ...]] = ("segment",)

    label: Mapped[str | None] = field(default=None, kw_only=False)
    time: TimeQuantity = field(default=None)
    duration: TimeQuantity = field(default=None)
    segment: Ref["Segment"] = ref("epochs", default=None)


class LabelledTimes(DataEntity):
    """What arrays of events and of epochs share."""

    times: TimeArray = field(default=None, kw_only=False)
    labels: LabelArray = field(default=None)

    def _check_count(self, name: str, *, none_allowed: bool) -> None:
        values, times = getattr(self, name), self.times
        if values is None or times is None or len(values) == len(times) or (none_allowed and len(values) == 0):
            return
        raise ValidationFailed(
            f"{type(self).__name__}.{name}: {len(values)} {name} for {len(times)} times; one for each time is needed",
            entity=type(self).__name__,
            field=name,
            value=values,
        )


class EventArray(LabelledTimes):
    """Points in time with a label each (neo Event)."""

    kind: ClassVar[str] = "eventarray"
    __roots__: ClassVar[tuple[str, ...]] = ("segment",)

    segment: Ref["Segment"] = ref("eventarrays", default=None)

    def check(self) -> None:
        """Check that there is one label for each time, or none at all."""
        self._check_count("labels", none_allowed=True)


class EpochArray(LabelledTimes):
    """Stretches of time with a duration and a label each (neo Epoch)."""

    kind: ClassVar[str] = "epocharray"
    __roots__: ClassVar[tuple[str, ...]] = ("segment",)

    durations: TimeArray = field(default=None)
    segment: Ref["Segment"] = ref("epocharrays", default=None)

    def check(self) -> None:
        """Check that there is one label and one duration for each time, or none at all."""
        self._check_count("labels", none_allowed=True)
        self._check_count("durations", none_allowed=True)
