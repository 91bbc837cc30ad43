"""Graphs of neo objects from models: each model becomes one object, so that what is shared stays shared."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, cast

import neo
import neo.core

from gnode_orm.convert.neo.classes import GROUP_CONTAINERS, SEGMENT_CONTAINERS
from gnode_orm.convert.neo.extension import extension_of, place_of
from gnode_orm.convert.neo.field_values import array_annotations, describe, plain_copy
from gnode_orm.convert.neo.membership import VIEW_FACTS, default_allowed, derived_members
from gnode_orm.convert.neo.writing import write_data
from gnode_orm.core.annotations import plain
from gnode_orm.core.entity import Entity
from gnode_orm.errors import GnodeWarning, ValidationFailed
from gnode_orm.models import Block, RecordingChannel, RecordingChannelGroup, Segment, Unit
from gnode_orm.models.electrophysiology import DataEntity

_DATA = {
    "analogsignals": ("analogsignals", "analogsignalarrays"),
    "imagesequences": ("analogsignalarrays",),
    "irregularlysampledsignals": ("irregularlysampledsignals",),
    "spiketrains": ("spiketrains", "spikes"),
    "events": ("events", "eventarrays"),
    "epochs": ("epochs", "epocharrays"),
}


def to_neo(model: Entity, *, filled: bool = False) -> Any:
    """Make the neo object that a model stands for, with everything below it.

    A single model comes without its parents. Arrays are loaded and copied. A name that an import filled in is left out,
    unless ``filled`` asks for it.

    Raises:
        ValidationFailed: neo demands what the model does not have; the message gives path and remedy.
    """
    assembly = _Assembly()
    path = type(model).__name__.lower()
    if isinstance(model, Block):
        native = assembly.block(model, path)
    elif isinstance(model, Segment):
        native = assembly.segment(model, path)
    elif isinstance(model, DataEntity):
        native = assembly.data(model, path)
    elif isinstance(model, RecordingChannelGroup | Unit | RecordingChannel):
        native = assembly.group(model, path)
    else:
        raise ValidationFailed(f"{model!r} has no counterpart in neo; to_odml() may fit", value=model)
    assembly.fill_groups()
    if filled:
        assembly.show_names()
    return native


class _Assembly:
    """The neo objects made so far, by the identity of their models."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        self._models: list[Entity] = []  # ids stay unique while the models live
        self._unfilled: list[tuple[Any, Any, str]] = []
        self._by_key: dict[str, Any] | None = None

    def _keep(self, model: Any, native: Any) -> Any:
        self._made[id(model)] = native
        self._models.append(model)
        return native

    def show_names(self) -> None:
        """Give each object the name that its model shows."""
        for model in self._models:
            self._made[id(model)].name = cast(Any, model).name

    def block(self, model: Block, path: str) -> neo.Block:
        """Make a block, its segments and its groups."""
        native = self._keep(model, _container(neo.Block(), model))
        segments = [item for item in _sorted(model.segments) if not extension_of(item).get("holder")]
        native.segments.extend([self.segment(item, f"{path}.segments[{n}]") for n, item in enumerate(segments)])
        groups = [item for item in _sorted(model.recordingchannelgroups) if _is_top(item)]
        native.groups.extend([self.group(item, f"{path}.groups[{n}]") for n, item in enumerate(groups)])
        return native

    def segment(self, model: Segment, path: str) -> neo.Segment:
        """Make a segment and its data."""
        native = self._keep(model, _container(neo.Segment(), model))
        for container in SEGMENT_CONTAINERS:
            found = [
                self.data(item, f"{path}.{container}[{n}]") for n, item in enumerate(_sorted(_listed(model, container)))
            ]
            if found:
                getattr(native, container).extend(found)
        return native

    def data(self, model: Any, path: str) -> Any:
        """Make a data object, once."""
        found = self._made.get(id(model))
        return self._keep(model, write_data(model, path)) if found is None else found

    def group(self, model: Any, path: str) -> Any:
        """Make a group without its members, or a view; once."""
        found = self._made.get(id(model))
        if found is not None:
            return found
        if "view" in extension_of(model):
            return self._view(model, path)
        names = extension_of(model).get("neo_group", {}).get("allowed", default_allowed(model))
        allowed = None if names is None else [getattr(neo.core, name) for name in names]
        native = self._keep(model, neo.Group(allowed_types=allowed))
        describe(native, model)
        self._unfilled.append((model, native, path))
        return native

    def fill_groups(self) -> None:
        """Give groups their members, which may be groups again."""
        while self._unfilled:
            model, native, path = self._unfilled.pop()
            members = self._members(model)
            for container in GROUP_CONTAINERS:
                found = [
                    self._member(item, f"{path}.{container}[{n}]") for n, item in enumerate(members.get(container, ()))
                ]
                found = [item for item in found if item is not None]
                if found:
                    getattr(native, container).extend(found)

    def _member(self, model: Any, path: str) -> Any:
        return self.data(model, path) if isinstance(model, DataEntity) else self.group(model, path)

    def _members(self, model: Any) -> dict[str, list[Any]]:
        """The members that were noted and still exist, then those that foreign keys added since."""
        derived = derived_members(model)
        noted = extension_of(model).get("neo_group")
        if noted is None:
            return derived
        members = {
            container: [found for key in keys if (found := self._find(key, model)) is not None]
            for container, keys in noted["members"].items()
        }
        for container, items in derived.items():
            present = {id(item) for item in members.get(container, ())}
            members.setdefault(container, []).extend(item for item in items if id(item) not in present)
        return members

    def _view(self, model: Any, path: str) -> Any:
        facts = extension_of(model)["view"]
        target = self._find(facts["of"], model)
        if target is None:
            message = f"{path}: {model!r} is left out, since the signal that it looks at is gone"
            warnings.warn(message, GnodeWarning, stacklevel=6)
            return None
        cls = getattr(neo.core, facts["class"])
        native = self._keep(model, cls.__new__(cls))
        neo.core.baseneo.BaseNeo.__init__(native)
        describe(native, model)
        native.obj = self.data(target, f"{path}.obj")
        for name in VIEW_FACTS[cls]:
            setattr(native, name, plain_copy(facts[name]))
        if isinstance(native, neo.ChannelView):
            native.array_annotations = array_annotations(native, plain(facts["array_annotations"]))
        return native

    def _find(self, key: str, referring: Any) -> Any:
        if self._by_key is None:
            block = _home(referring)
            known = [] if block is None else list(_everything(block))
            self._by_key = {extension_of(item)["key"]: item for item in known if "key" in extension_of(item)}
        return self._by_key.get(key)


def _container(native: Any, model: Any) -> Any:
    describe(native, model)
    native.file_datetime = _moment(model, "filedatetime")
    native.rec_datetime = _moment(model, "rec_datetime")
    exact = extension_of(model).get("exact", {}).get("index")
    native.index = exact if exact is not None and exact == model.index else model.index
    return native


def _moment(model: Any, name: str) -> Any:
    """The time of a field, in the zone that neo gave it while it is still that time."""
    moment = getattr(model, name)
    exact = extension_of(model).get("exact", {}).get(name)
    return exact if exact is not None and moment is not None and exact.isoformat() == moment.isoformat() else moment


def _sorted(models: Any) -> list[Any]:
    return sorted(models, key=lambda model: place_of(extension_of(model)))


def _listed(segment: Segment, container: str) -> list[Any]:
    found = [item for name in _DATA[container] for item in getattr(segment, name)]
    if container in ("analogsignals", "imagesequences"):
        images = container == "imagesequences"
        found = [item for item in found if ("imagesequence" in extension_of(item)) == images]
    return found


def _is_top(group: Any) -> bool:
    ext = extension_of(group)
    return "view" not in ext and bool(ext.get("neo_group", {}).get("top", True))


def _home(model: Any) -> Block | None:
    """The block that a group, unit or channel belongs to."""
    if isinstance(model, RecordingChannelGroup):
        return model.block
    if isinstance(model, Unit):
        return None if model.recordingchannelgroup is None else model.recordingchannelgroup.block
    groups = list(model.recordingchannelgroups)
    return groups[0].block if groups else None


def _everything(block: Block) -> Iterator[Any]:
    """What groups and views of a block may refer to."""
    for segment in block.segments:
        for names in _DATA.values():
            for name in names:
                yield from getattr(segment, name)
    for group in block.recordingchannelgroups:
        yield group
        yield from group.analogsignalarrays
        for inner in (*group.units, *group.recordingchannels):
            yield inner
            for items in derived_members(inner).values():
                yield from items
