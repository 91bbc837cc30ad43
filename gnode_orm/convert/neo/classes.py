"""Which neo class meets which kinds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import neo

from gnode_orm.core.entity import Entity
from gnode_orm.errors import ValidationFailed
from gnode_orm.models import (
    AnalogSignal,
    AnalogSignalArray,
    Block,
    Epoch,
    EpochArray,
    Event,
    EventArray,
    IrregularlySampledSignal,
    RecordingChannel,
    RecordingChannelGroup,
    Segment,
    Spike,
    SpikeTrain,
    Unit,
)


class Role(Enum):
    """What part a neo object plays in a graph."""

    BLOCK = "block"
    SEGMENT = "segment"
    DATA = "data"
    GROUP = "group"
    VIEW = "view"


@dataclass(frozen=True)
class Counterpart:
    """One neo class.

    Attributes:
        container: name of the list that neo keeps such objects in.
        models: the classes that may stand for it; the first is the one that new objects get.
    """

    native: type
    role: Role
    container: str
    models: tuple[type[Entity], ...]


_COUNTERPARTS = (
    Counterpart(neo.Block, Role.BLOCK, "", (Block,)),
    Counterpart(neo.Segment, Role.SEGMENT, "segments", (Segment,)),
    Counterpart(neo.AnalogSignal, Role.DATA, "analogsignals", (AnalogSignalArray, AnalogSignal)),
    Counterpart(neo.IrregularlySampledSignal, Role.DATA, "irregularlysampledsignals", (IrregularlySampledSignal,)),
    Counterpart(neo.SpikeTrain, Role.DATA, "spiketrains", (SpikeTrain, Spike)),
    Counterpart(neo.Event, Role.DATA, "events", (EventArray, Event)),
    Counterpart(neo.Epoch, Role.DATA, "epochs", (EpochArray, Epoch)),
    Counterpart(neo.ImageSequence, Role.DATA, "imagesequences", (AnalogSignalArray,)),
    Counterpart(neo.Group, Role.GROUP, "groups", (RecordingChannelGroup, Unit, RecordingChannel)),
    Counterpart(neo.ChannelView, Role.VIEW, "channelviews", (RecordingChannelGroup,)),
    Counterpart(neo.CircularRegionOfInterest, Role.VIEW, "regionsofinterest", (RecordingChannelGroup,)),
    Counterpart(neo.RectangularRegionOfInterest, Role.VIEW, "regionsofinterest", (RecordingChannelGroup,)),
    Counterpart(neo.PolygonRegionOfInterest, Role.VIEW, "regionsofinterest", (RecordingChannelGroup,)),
)
_BY_CLASS = {item.native: item for item in _COUNTERPARTS}

SEGMENT_CONTAINERS = tuple(item.container for item in _COUNTERPARTS if item.role is Role.DATA)
GROUP_CONTAINERS = (*SEGMENT_CONTAINERS, "channelviews", "regionsofinterest", "groups")


def counterpart(native: Any) -> Counterpart:
    """Find the neo class of an object; a proxy counts as what it stands for.

    Raises:
        ValidationFailed: not an object of neo, or one of a class that no kind can stand for.
    """
    cls: type = getattr(native, "proxy_for", None) or type(native)
    found = _of_class(cls)
    if found is None:
        raise ValidationFailed(
            f"{type(native).__module__}.{type(native).__name__} is not a neo object that can be kept; "
            f"use one of {', '.join(item.native.__name__ for item in _COUNTERPARTS)}",
            value=native,
        )
    return found


@cache
def _of_class(cls: type) -> Counterpart | None:
    return next((_BY_CLASS[base] for base in cls.__mro__ if base in _BY_CLASS), None)
