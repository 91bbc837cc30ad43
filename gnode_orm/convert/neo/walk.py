"""What hangs together with a neo object: each object once, parents before children, with its path.

Everything below the object comes along, and so do its parents, but not what else hangs in them.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from gnode_orm.convert.neo.classes import GROUP_CONTAINERS, SEGMENT_CONTAINERS, Counterpart, Role, counterpart
from gnode_orm.convert.neo.refusal import refuse
from gnode_orm.core.entity import Entity


class Node:
    """One neo object of a walk.

    Attributes:
        native: the object as it was met; a proxy stays a proxy.
        path: where it was met first.
        counterpart: its neo class and the kinds that may stand for it.
        parent: the block of a segment or of a top group, the segment of data, the group that a group was met in.
        lists: for blocks, segments and groups, the members of each list of neo, in order.
        whole: whether the lists were walked; parents of the object that was asked for are not.
        target: what a view looks at.
        entries: our part of ``ext``, put together while the model is made.
        model: the model that stands for the object, once it is made.
    """

    __slots__ = ("counterpart", "entries", "lists", "model", "native", "parent", "path", "target", "whole")

    def __init__(self, native: Any, path: str, found: Counterpart, parent: Node | None) -> None:
        self.native = native
        self.path = path
        self.counterpart = found
        self.parent = parent
        self.lists: dict[str, list[Node]] = {}
        self.whole = False
        self.target: Node | None = None
        self.entries: dict[str, Any] = {}
        self.model: Entity = None  # type: ignore[assignment]

    @property
    def role(self) -> Role:
        return self.counterpart.role

    @property
    def top(self) -> bool:
        """Whether a group stands in the list of its block."""
        return self.parent is not None and self.parent.role is Role.BLOCK


class Walk:
    """Walks from one object and keeps what it meets in ``nodes``.

    Raises:
        ValidationFailed: an object in two places where neo and the kinds allow one, or one of another block.
    """

    def __init__(self, native: Any) -> None:
        self.nodes: dict[int, Node] = {}
        self.home: Node | None = None  # the block that groups and views belong to
        self._groups: deque[Node] = deque()
        found = counterpart(native)
        self.start = _STARTS[found.role](self, native, found.native.__name__.lower())
        while self._groups:
            self._walk_group(self._groups.popleft())

    def _add(self, native: Any, path: str, parent: Node | None, found: Counterpart | None = None) -> Node:
        node = Node(native, path, found or counterpart(native), parent)
        self.nodes[id(native)] = node
        return node

    def _block(self, block: Any, path: str) -> Node:
        node = self.home = self._add(block, path, None)
        node.whole = True
        node.lists["segments"] = [
            self._segment(segment, f"{path}.segments[{place}]", node) for place, segment in enumerate(block.segments)
        ]
        node.lists["groups"] = [
            self._top_group(group, f"{path}.groups[{place}]", node) for place, group in enumerate(block.groups)
        ]
        return node

    def _segment(self, segment: Any, path: str, block: Node | None) -> Node:
        self._check_new(segment, path)
        if block is not None:
            _check_pointer(segment, path, block, "block", "segments")
        node = self._add(segment, path, block)
        node.whole = True
        for container in SEGMENT_CONTAINERS:
            node.lists[container] = [
                self._listed(item, f"{path}.{container}[{place}]", node, container)
                for place, item in enumerate(getattr(segment, container))
            ]
        if len(segment.channelviews):
            raise refuse(f"{path}.channelviews", "views in a segment cannot be kept; put them into a Group")
        return node

    def _listed(self, item: Any, path: str, segment: Node, container: str) -> Node:
        self._check_new(item, path)
        _check_pointer(item, path, segment, "segment", container)
        return self._add(item, path, segment)

    def _check_new(self, native: Any, path: str) -> None:
        earlier = self.nodes.get(id(native))
        if earlier is not None:
            raise refuse(
                path,
                f"multiple-parents: the same {earlier.counterpart.native.__name__} is also {earlier.path}; "
                "an object hangs in one place, so put a copy there",
                value=native,
            )

    def _start_segment(self, segment: Any, path: str) -> Node:
        return self._segment(segment, path, self._parent_block(segment, path))

    def _parent_block(self, child: Any, path: str) -> Node | None:
        block = child.block
        if block is None:
            return None
        found = self.nodes.get(id(block)) or self._add(block, f"{path}.block", None)
        self.home = self.home or found
        return found

    def _start_data(self, data: Any, path: str) -> Node:
        return self._add(data, path, self._parent_segment(data, path))

    def _parent_segment(self, data: Any, path: str) -> Node | None:
        segment = data.segment
        if segment is None:
            return None
        found = self.nodes.get(id(segment))
        if found is None:
            place = f"{path}.segment"
            found = self._add(segment, place, self._parent_block(segment, place))
        _check_pointer(data, path, found, "segment", counterpart(data).container)
        return found

    def _start_group(self, group: Any, path: str) -> Node:
        return self._top_group(group, path, self._parent_block(group, path))

    def _start_view(self, view: Any, path: str) -> Node:
        return self._view(view, path, None)

    def _top_group(self, group: Any, path: str, block: Node | None) -> Node:
        self._check_new(group, path)
        if block is not None:
            _check_pointer(group, path, block, "block", "groups")
        return self._group(group, path, block)

    def _group(self, group: Any, path: str, parent: Node | None) -> Node:
        node = self._add(group, path, parent)
        node.whole = True
        self._groups.append(node)
        return node

    def _walk_group(self, node: Node) -> None:
        if len(node.native.segments):
            raise refuse(f"{node.path}.segments", "a Group with segments cannot be kept; use the block's segments")
        for container in GROUP_CONTAINERS:
            members = getattr(node.native, container)
            if len(members):
                node.lists[container] = [
                    self._member(item, f"{node.path}.{container}[{place}]", node) for place, item in enumerate(members)
                ]

    def _member(self, member: Any, path: str, group: Node) -> Node:
        found = self.nodes.get(id(member))
        if found is not None:
            return found
        role = counterpart(member).role
        if role is Role.VIEW:
            return self._view(member, path, group)
        if role is Role.GROUP:
            if member.block is not None:
                self._check_home(self._parent_block(member, path), path)
                return self._top_group(member, path, self.home)
            return self._group(member, path, group)
        return self._referred(member, path)

    def _view(self, view: Any, path: str, group: Node | None) -> Node:
        node = self._add(view, path, group)
        target = view.obj
        node.target = self.nodes.get(id(target)) or self._referred(target, f"{path}.obj")
        return node

    def _referred(self, data: Any, path: str) -> Node:
        """Take in data that a group or a view refers to and that was not met in a segment."""
        segment = self._parent_segment(data, path)
        if segment is not None:
            if segment.parent is None:
                raise refuse(path, f"hangs in a segment without a block, {_named(segment)}; put it into the block")
            self._check_home(segment.parent, path)
            if segment.parent.whole and not segment.whole:
                raise refuse(path, f"hangs in {_named(segment)}, which the block does not list; append it to the block")
        return self._add(data, path, segment)

    def _check_home(self, block: Node | None, path: str) -> None:
        if block is not self.home:
            raise refuse(
                path,
                f"belongs to another block, {_named(block)} instead of {_named(self.home)}; "
                "groups and views refer to objects of their own block",
            )


_STARTS = {
    Role.BLOCK: Walk._block,
    Role.SEGMENT: Walk._start_segment,
    Role.DATA: Walk._start_data,
    Role.GROUP: Walk._start_group,
    Role.VIEW: Walk._start_view,
}


def _check_pointer(child: Any, path: str, parent: Node, name: str, container: str) -> None:
    """Refuse a child that one parent lists while the child names another."""
    other = getattr(child, name, None)
    if other is None or other is parent.native:
        return
    mine = f"{_named(parent)} at {parent.path}"
    theirs = f"{type(other).__name__} {other.name!r}"
    listed = any(item is child for item in getattr(other, container))
    what = f"is in two lists, of {mine} and of {theirs}" if listed else f"is listed by {mine}, but names {theirs}"
    raise refuse(path, f"multiple-parents: {what} as its {name}; leave it in one of them", value=child)


def _named(node: Node | None) -> str:
    return "no block" if node is None else f"{node.counterpart.native.__name__} {node.native.name!r}"
