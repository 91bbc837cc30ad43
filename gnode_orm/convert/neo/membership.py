"""Groups and views: whose members they are, as foreign keys where the kinds have them, and in ``ext``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import neo

from gnode_orm.convert.neo import extension
from gnode_orm.convert.neo.classes import Role
from gnode_orm.convert.neo.extension import new_key
from gnode_orm.convert.neo.refusal import refuse
from gnode_orm.convert.neo.walk import Node, Walk
from gnode_orm.core.entity import Entity
from gnode_orm.models import (
    AnalogSignal,
    AnalogSignalArray,
    Block,
    IrregularlySampledSignal,
    RecordingChannel,
    RecordingChannelGroup,
    Segment,
    Spike,
    SpikeTrain,
    Unit,
)

_FOREIGN_KEYS: dict[type[Entity], tuple[type[Entity], str]] = {
    AnalogSignalArray: (RecordingChannelGroup, "recordingchannelgroup"),
    Unit: (RecordingChannelGroup, "recordingchannelgroup"),
    SpikeTrain: (Unit, "unit"),
    Spike: (Unit, "unit"),
    AnalogSignal: (RecordingChannel, "recordingchannel"),
    IrregularlySampledSignal: (RecordingChannel, "recordingchannel"),
}

_DERIVED: dict[type[Entity], dict[str, tuple[str, ...]]] = {
    RecordingChannelGroup: {"analogsignals": ("analogsignalarrays",), "groups": ("units", "recordingchannels")},
    Unit: {"spiketrains": ("spiketrains", "spikes")},
    RecordingChannel: {
        "analogsignals": ("analogsignals",),
        "irregularlysampledsignals": ("irregularlysampledsignals",),
    },
}

VIEW_FACTS: dict[type, tuple[str, ...]] = {
    neo.ChannelView: ("index", "array_annotations"),
    neo.CircularRegionOfInterest: ("x", "y", "radius"),
    neo.RectangularRegionOfInterest: ("x", "y", "width", "height"),
    neo.PolygonRegionOfInterest: ("vertices",),
}


def derived_members(model: Entity) -> dict[str, list[Entity]]:
    """The members of a group that foreign keys alone tell, by list of neo."""
    lists = next((lists for cls, lists in _DERIVED.items() if isinstance(model, cls)), {})
    found = {container: [item for name in names for item in getattr(model, name)] for container, names in lists.items()}
    images = [item for item in found.get("analogsignals", ()) if "imagesequence" in extension.extension_of(item)]
    if images:
        found["analogsignals"] = [item for item in found["analogsignals"] if item not in images]
        found["imagesequences"] = images
    return found


def default_allowed(model: Entity) -> list[str] | None:
    """The names of the types that a group without further knowledge allows."""
    return ["SpikeTrain"] if isinstance(model, Unit) else None


class Membership:
    """Hangs the groups and views of a walk into their block, and their members into them."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._home: Any = None if walk.home is None else walk.home.model
        self._ranks: dict[int, int] = {}  # of new models, in the order in which they will be stored

    def hang(self, node: Node) -> None:
        """Hang a group or a view into the block, or a unit or channel into the group that it was met in."""
        model: Any = node.model
        if isinstance(model, RecordingChannelGroup):
            if model.block is None or self._walk.home is not None:
                _set(model, "block", self._block())
        elif node.parent is not None:
            _join(model, node.parent.model)

    def settle(self) -> None:
        """Set foreign keys, and note what they cannot say."""
        nodes = list(self._walk.nodes.values())
        groups = [node for node in nodes if node.role is Role.GROUP]
        views = [node for node in nodes if node.role is Role.VIEW]
        self._ranks = {id(node.model): rank for rank, node in enumerate(nodes)}
        for node in groups:
            _set_foreign_keys(node, self._ranks)
        for node in views:
            _note_view(node)
        for node in groups:
            self._note_group(node)
        self._house_orphans([member for node in groups for members in node.lists.values() for member in members])
        self._house_orphans([node.target for node in views if node.target is not None])

    def _note_group(self, node: Node) -> None:
        """Keep the lists of a group, unless foreign keys and defaults say the same."""
        lists = {container: members for container, members in node.lists.items() if members}
        types = node.native.allowed_types
        allowed = None if types is None else [cls.__name__ for cls in types]
        is_group = isinstance(node.model, RecordingChannelGroup)
        if allowed == default_allowed(node.model) and (node.top or not is_group) and self._is_derived(node, lists):
            return
        members = {container: [_key(member) for member in listed] for container, listed in lists.items()}
        node.entries["neo_group"] = {"top": node.top, "allowed": allowed, "members": members}

    def _is_derived(self, node: Node, lists: dict[str, list[Node]]) -> bool:
        derived = {name: list(map(id, self._as_stored(items))) for name, items in derived_members(node.model).items()}
        given = {name: [id(member.model) for member in members] for name, members in lists.items()}
        return {name: items for name, items in derived.items() if items} == given

    def _as_stored(self, models: list[Entity]) -> list[Entity]:
        """Sort what a group derives as a store will give it: each kind by id, new objects last."""
        kinds = list(dict.fromkeys(model.kind for model in models))
        last = len(self._ranks)

        def order(model: Entity) -> tuple[int, str, int]:
            # Ids have a fixed length, and the tilde comes after all of their characters.
            return kinds.index(model.kind), model.id or "~", self._ranks.get(id(model), last)

        return sorted(models, key=order)

    def _house_orphans(self, referred: list[Node]) -> None:
        """Give data that hangs nowhere else a segment, so that it can be found through its block."""
        for node in referred:
            model: Any = node.model
            if node.role is Role.DATA and all(getattr(model, name) is None for name in _parent_names(model)):
                model.segment = self._holder()

    def _block(self) -> Any:
        if self._home is None:
            self._home = Block()
            extension.put(self._home, {"holder": True})
        return self._home

    def _holder(self) -> Segment:
        block = self._block()
        for segment in block.segments:
            if extension.extension_of(segment).get("holder"):
                return segment  # type: ignore[no-any-return]
        holder = Segment(block=block)
        extension.put(holder, {"holder": True})
        return holder


def in_order(nodes: list[Node]) -> list[Node]:
    """Sort nodes by the places that they have so far."""
    return sorted(nodes, key=lambda node: extension.place_of(node.entries))


def _parent_names(model: Entity) -> frozenset[str]:
    return type(model).__references__ - {"metadata"}


def _set_foreign_keys(node: Node, converted: Mapping[int, int]) -> None:
    """Let members name their group where their kind can, the first group first; let former members forget it."""
    members = [member.model for listed in node.lists.values() for member in listed]
    inside = {id(model) for model in members}
    for former in [item for items in derived_members(node.model).values() for item in items]:
        if id(former) in converted and id(former) not in inside:
            _part(former, node.model)
    for container, listed in node.lists.items():
        # The foreign key of image sequences is that of signals, and would make them such.
        for member in listed if container != "imagesequences" else ():
            _join(member.model, node.model)


def _join(model: Any, group: Any) -> None:
    if isinstance(model, RecordingChannel) and isinstance(group, RecordingChannelGroup):
        if group not in model.recordingchannelgroups:
            group.recordingchannels.append(model)
        return
    name = _foreign_key(model, group)
    if name is not None and getattr(model, name) is None:
        setattr(model, name, group)


def _part(model: Any, group: Any) -> None:
    name = _foreign_key(model, group)
    if name is not None:
        setattr(model, name, None)
    else:
        group.recordingchannels.remove(model)


def _foreign_key(model: Entity, group: Entity) -> str | None:
    for cls, (target, name) in _FOREIGN_KEYS.items():
        if isinstance(model, cls) and isinstance(group, target):
            return name
    return None


def _set(model: Any, name: str, value: Any) -> None:
    if getattr(model, name) is not value:
        setattr(model, name, value)


def _key(node: Node) -> str:
    key: str = node.entries.setdefault("key", new_key())
    return key


def _note_view(node: Node) -> None:
    native, target = node.native, node.target
    assert target is not None
    if isinstance(native, neo.ChannelView):
        _check_index(node, target.native.shape[-1])
    cls = node.counterpart.native
    facts = {name: getattr(native, name) for name in VIEW_FACTS[cls]}
    node.entries["view"] = {"class": cls.__name__, "of": _key(target), **facts}


def _check_index(node: Node, channels: int) -> None:
    index = node.native.index
    wrong = index[(index < -channels) | (index >= channels)]
    if wrong.size:
        raise refuse(node.path, f"channel {wrong[0]} of {channels} does not exist", field="index", value=index)
