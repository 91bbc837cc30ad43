"""gnode_orm: an object mapper for electrophysiology.

The house, from the ground up; a module imports from its own floor or below:

    errors, sentinels, ids, location, units, topology
    core/        entity base, fields, quantities, array handles, expressions, change tracking
    models/      the 18 declared classes
    stores/      the Store protocol and its implementations: records and change sets, never instances
    convert/     neo <-> models, odml <-> models
    files/       readers of recordings and odML files, validation; they yield models
    session/     Lab, Session: identity map, unit of work, queries, loading
    cli/         the command gnode-orm

Importing the package loads next to nothing: the models, and all else, load when they are first named, and neo, odml and
a database toolkit when they are first needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gnode_orm import errors

if TYPE_CHECKING:
    from gnode_orm import models, testing
    from gnode_orm.core.streamed import StreamedArray
    from gnode_orm.files.validation import validate
    from gnode_orm.location import Location
    from gnode_orm.models import (
        AnalogSignal,
        AnalogSignalArray,
        Block,
        Document,
        Epoch,
        EpochArray,
        Event,
        EventArray,
        IrregularlySampledSignal,
        Property,
        RecordingChannel,
        RecordingChannelGroup,
        Section,
        Segment,
        Spike,
        SpikeTrain,
        Unit,
        Value,
    )
    from gnode_orm.session import Lab, Session, connect
    from gnode_orm.session.classic import close, create

__version__ = "0.1.0"

__all__ = [
    "AnalogSignal",
    "AnalogSignalArray",
    "Block",
    "Document",
    "Epoch",
    "EpochArray",
    "Event",
    "EventArray",
    "IrregularlySampledSignal",
    "Lab",
    "Location",
    "Property",
    "RecordingChannel",
    "RecordingChannelGroup",
    "Section",
    "Segment",
    "Session",
    "Spike",
    "SpikeTrain",
    "StreamedArray",
    "Unit",
    "Value",
    "close",
    "connect",
    "create",
    "errors",
    "models",
    "testing",
    "validate",
]

_ELSEWHERE = {
    "Lab": "gnode_orm.session",
    "Location": "gnode_orm.location",
    "Session": "gnode_orm.session",
    "StreamedArray": "gnode_orm.core.streamed",
    "close": "gnode_orm.session.classic",
    "connect": "gnode_orm.session",
    "create": "gnode_orm.session.classic",
    "validate": "gnode_orm.files.validation",
}
"""Where the names come from that are not those of models."""

if not TYPE_CHECKING:  # or the checkers would believe in any name

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'gnode_orm' has no attribute {name!r}")
        if name in ("models", "testing"):
            return import_module(f"gnode_orm.{name}")
        home = import_module(_ELSEWHERE.get(name, "gnode_orm.models"))
        found = globals()[name] = getattr(home, name)
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
