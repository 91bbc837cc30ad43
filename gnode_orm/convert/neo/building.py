"""Models from a walk: a new model for each neo object, or the known one updated in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import neo
import numpy as np

from gnode_orm.convert.conversion import Conversion
from gnode_orm.convert.neo import extension
from gnode_orm.convert.neo.classes import SEGMENT_CONTAINERS, Role
from gnode_orm.convert.neo.data_reading import read_data
from gnode_orm.convert.neo.membership import Membership, in_order
from gnode_orm.convert.neo.reading import Reading, read_container, read_group
from gnode_orm.convert.neo.refusal import at_path, in_extension
from gnode_orm.convert.neo.updating import assign
from gnode_orm.convert.neo.walk import Node, Walk
from gnode_orm.core.entity import Entity
from gnode_orm.core.scaling import physical
from gnode_orm.errors import ValidationFailed
from gnode_orm.models import AnalogSignal, RecordingChannelGroup, Unit

_NONE: Mapping[int, Entity] = {}


def from_neo(native: Any, cls: type[Entity] | None = None) -> Entity:
    """Make the model that stands for a neo object, with everything below it and its parents.

    ``cls`` is the class that is wanted, where several may stand for the object: ``Event`` instead of ``EventArray``.

    Raises:
        ValidationFailed: the object has no exact counterpart; the message gives path and reason.
    """
    return convert(native, cls=cls).model


def convert(native: Any, known: Mapping[int, Entity] | None = None, *, cls: type[Entity] | None = None) -> Conversion:
    """Convert a neo object with everything below it and its parents.

    ``known`` maps ``id(native)`` to the models that stand for objects already: these are updated in place, and only
    where something differs. Fields without a counterpart in neo are never touched, and nothing is taken out of a
    collection because neo's list no longer holds it.

    Raises:
        ValidationFailed: an object has no exact counterpart; the message gives path and reason.
    """
    walk = Walk(native)
    builder = _Builder(walk, _NONE if known is None else known, cls)
    builder.build()
    return Conversion(walk.start.model, [(node.native, node.model) for node in walk.nodes.values()])


class _Builder:
    """Makes the models of one walk: containers and data, then groups and views, then who refers to whom."""

    def __init__(self, walk: Walk, known: Mapping[int, Entity], asked: type[Entity] | None) -> None:
        self._walk = walk
        self._known = known
        self._asked = asked

    def build(self) -> None:
        nodes = list(self._walk.nodes.values())
        for node in nodes:
            if node.role not in (Role.GROUP, Role.VIEW):
                self._make(node)
        membership = Membership(self._walk)
        for node in nodes:
            if node.role in (Role.GROUP, Role.VIEW):
                self._make(node)
                membership.hang(node)
        membership.settle()
        for node in nodes:
            if node.whole and node.role is not Role.GROUP:
                _note_places(node)
        for node in nodes:
            _finish(node)

    def _make(self, node: Node) -> None:
        known = self._known.get(id(node.native))
        node.entries = extension.kept(known)
        reading = self._read(node, type(known) if known is not None else self._choose(node))
        node.entries.update(reading.entries)
        if reading.exact:
            node.entries["exact"] = reading.exact
        try:
            if known is None:
                node.model = self._choose(node)(**reading.values, **self._parents(node))
            else:
                node.model = known
                _update(known, reading, self._parents(node))
        except ValidationFailed as error:
            raise at_path(node.path, error) from None

    def _read(self, node: Node, model: type[Entity]) -> Reading:
        if node.role is Role.DATA:
            return read_data(node.native, node.path, model)
        if node.role in (Role.GROUP, Role.VIEW):
            return read_group(node.native, node.path)
        return read_container(node.native, node.path)

    def _parents(self, node: Node) -> dict[str, Entity]:
        parent = node.parent
        if parent is None or node.role not in (Role.SEGMENT, Role.DATA):
            return {}
        return {"block" if node.role is Role.SEGMENT else "segment": parent.model}

    def _choose(self, node: Node) -> Any:
        models = node.counterpart.models
        asked = self._asked if node is self._walk.start else None
        if asked is not None and _may_stand_for(asked, node):
            return asked
        if node.role is Role.GROUP and self._is_unit(node):
            return Unit
        if AnalogSignal in models and _is_column(node.native):
            return AnalogSignal
        return models[0]

    def _is_unit(self, node: Node) -> bool:
        """Whether a group is what neo calls a unit: spike trains alone, inside another group."""
        inside = node.parent is not None and isinstance(node.parent.model, RecordingChannelGroup)
        return inside and node.native.allowed_types == (neo.SpikeTrain,) and set(node.lists) <= {"spiketrains"}


def _may_stand_for(cls: type[Entity], node: Node) -> bool:
    fits = any(issubclass(cls, model) for model in node.counterpart.models)
    return fits and (not issubclass(cls, AnalogSignal) or _is_column(node.native))


def _is_column(native: Any) -> bool:
    return len(native.shape) == 2 and native.shape[1] == 1


def _update(model: Entity, reading: Reading, parents: Mapping[str, Entity]) -> None:
    values = dict(reading.values)
    if "gain" in values and _same_physical(model, reading):
        # neo was given physical values; the raw ones that they came from stay.
        for name in ("signal", "gain", "offset"):
            del values[name]
    if model.kind == "irregularlysampledsignal" and not _t_start_is_derived(model):
        del values["t_start"]
    for name, value in values.items():
        assign(model, name, value, reading.exact)
    for name, parent in parents.items():
        if getattr(model, name) is not parent:
            setattr(model, name, parent)
    model.check()


def _same_physical(model: Any, reading: Reading) -> bool:
    if model.gain is None or "compound" in reading.entries or model.signal is None:
        return False
    raw, given = model.signal, reading.values["signal"]
    if raw.shape != given.shape or raw.unit != given.unit:
        return False
    values = physical(raw.magnitude, model.gain, model.offset)
    return bool(values.dtype == given.dtype and np.array_equal(values, given.magnitude, equal_nan=True))


def _t_start_is_derived(model: Any) -> bool:
    """Whether an irregularly sampled signal begins with its first sample, as it always does in neo."""
    if model.t_start is None or model.times is None or not len(model.times):
        return model.t_start is None and model.times is None
    return bool(model.t_start == model.times[0])


def _note_places(node: Node) -> None:
    """Keep the place in neo's lists, where the collections alone would not give the order back."""
    containers = SEGMENT_CONTAINERS if node.role is Role.SEGMENT else tuple(node.lists)
    for container in containers:
        members = node.lists.get(container, [])
        by_model = {id(member.model): member for member in members}
        found = [by_model[id(model)] for model in _collected(node.model, container) if id(model) in by_model]
        if in_order(found) != members:
            for place, member in enumerate(members):
                member.entries["pos"] = place


def _collected(model: Any, container: str) -> list[Entity]:
    """The models of one list of neo in the order of the collections, before places are looked at."""
    return [item for name in _COLLECTIONS[container] for item in getattr(model, name)]


_COLLECTIONS = {
    "segments": ("segments",),
    "groups": ("recordingchannelgroups",),
    "analogsignals": ("analogsignals", "analogsignalarrays"),
    "imagesequences": ("analogsignalarrays",),
    "irregularlysampledsignals": ("irregularlysampledsignals",),
    "spiketrains": ("spiketrains", "spikes"),
    "events": ("events", "eventarrays"),
    "epochs": ("epochs", "epocharrays"),
}


def _finish(node: Node) -> None:
    try:
        extension.put(node.model, node.entries)
    except ValidationFailed as error:
        raise in_extension(node.path, error) from None
