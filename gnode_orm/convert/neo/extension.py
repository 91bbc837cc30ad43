"""The layout of ``ext`` on what came from neo: what the 18 kinds cannot hold.

    v               1
    key             name under which groups and views of the same block refer to this object
    pos             place in neo's list, where the collections alone would not give the order back
    exact           {field: value} that the field itself cannot hold, such as a ``t_start`` without a unit
    compound        "0.195*uV": the unit that became ``gain``
    shape           of samples that neo keeps in another shape than its constructor would make
    imagesequence   {shape, spatial_scale} of a neo.ImageSequence
    labels_dtype    of the label of a single event or epoch
    neo_group       {top, allowed, members: {container: [key, ...]}} of a neo.Group
    view            {class, of, ...} of a neo.ChannelView or region of interest
    holder          true on what holds objects that hang in no segment of neo

Other entries belong to others and stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from gnode_orm.core.entity import Entity
from gnode_orm.core.typed_json import encode

OWN = frozenset(
    ["key", "pos", "exact", "compound", "shape", "imagesequence", "labels_dtype", "neo_group", "view", "holder"]
)
_KEPT = ("key", "pos")


def kept(model: Entity | None) -> dict[str, Any]:
    """Give the entries that outlive an update."""
    ext = extension_of(model) if model is not None else {}
    return {name: ext[name] for name in _KEPT if name in ext}


def put(model: Entity, entries: Mapping[str, Any]) -> None:
    """Replace our entries of ``ext``; nothing is marked as changed where nothing changes."""
    old = extension_of(model)
    new = {name: value for name, value in old.items() if name not in OWN}
    if entries:
        new = {"v": 1, **new, **entries}
    elif set(new) == {"v"}:
        new = {}
    # The order of before, so that the same entries are the same text.
    new = {name: new[name] for name in [*old, *new] if name in new}
    if (old or new) and encode(dict(old)) != encode(new):
        model._set_ext(new)


def extension_of(model: Entity) -> Mapping[str, Any]:
    """Give ``ext``, empty where there is none."""
    ext: Mapping[str, Any] | None = getattr(model, "ext", None)
    return ext or {}


def new_key() -> str:
    """Make a name for an object that others refer to."""
    return uuid4().hex


def place_of(entries: Mapping[str, Any]) -> float:
    """Give the place in neo's list; what has none comes last."""
    place: float = entries.get("pos", float("inf"))
    return place
