"""Rules for how objects hang together: blocks, segments, channels, sections, properties."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gnode_orm.core.entity import Entity
from gnode_orm.errors import DetachedError, NotFound
from gnode_orm.files.validation.registry import Finding, rule
from gnode_orm.files.validation.report import ERROR, INFO, WARNING
from gnode_orm.models import MODELS

# What the odml library writes where no type was given.
_NO_TYPE = "n.s."
_EXT_VERSION = 1
_TWO_PARENTS = ("spiketrain", "spike", "analogsignalarray")


@rule("block", code="time-zones-mixed", severity=WARNING)
def _time_zones_mixed(block: Any) -> Iterator[Finding]:
    """Recording times with and without a zone cannot be put in order."""
    times = [item.rec_datetime for item in (block, *block.segments) if item.rec_datetime is not None]
    if len({time.tzinfo is None for time in times}) == 2:
        yield Finding("rec_datetime", "some recording times have a time zone, some have none", "give all of them one")


@rule("block", "segment", code="recorded-in-future", severity=WARNING)
def _recorded_in_future(entity: Any) -> Iterator[Finding]:
    """The recording time has not come yet; the clock of the recording machine may be wrong."""
    time = entity.rec_datetime
    # A naive time may be up to half a day ahead of here.
    now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=14)
    if time is not None and (time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time) > now:
        yield Finding("rec_datetime", "lies in the future", "check the clock of the recording machine", time)


@rule("block", code="group-cycle", severity=INFO)
def _group_cycle(block: Any) -> Iterator[Finding]:
    """A group of neo is inside itself, which is kept; who walks through groups must not walk for ever."""
    members = {}
    for group in block.recordingchannelgroups:
        ext = group.ext or {}
        if "key" in ext:
            members[ext["key"]] = ext.get("neo_group", {}).get("members", {}).get("groups", ())
    if _has_ring(members):
        yield Finding("recordingchannelgroups", "a group is inside itself", "leave it, or take it out in neo")


@rule(*_TWO_PARENTS, code="parents-of-two-blocks", severity=ERROR)
def _parents_of_two_blocks(entity: Any) -> Iterator[Finding]:
    """The segment of an object is of one block, and its unit or channel group of another."""
    block = _above(entity, ("segment", "block"))
    for path in (("unit", "recordingchannelgroup", "block"), ("recordingchannelgroup", "block")):
        other = _above(entity, path)
        if block is not None and other is not None and block is not other:
            yield Finding(path[0], "belongs to another block than the segment", "take one of the same block", other)


@rule(*MODELS, code="parent-not-found", severity=ERROR)
def _parent_not_found(entity: Any) -> Iterator[Finding]:
    """A foreign key names an object that is not there."""
    for name in sorted(entity._locations()):
        try:
            getattr(entity, name)
        except NotFound:
            yield Finding(name, "names an object that is not there", "set it anew, or to None", entity.ref(name))
        except DetachedError:
            continue  # there is no session to ask


@rule(*MODELS, code="extension-newer", severity=WARNING)
def _extension_newer(entity: Any) -> Iterator[Finding]:
    """A newer version of this package wrote ``ext``; what this one does not know of it is kept and not used."""
    version = (entity.ext or {}).get("v", _EXT_VERSION)
    if isinstance(version, int) and version > _EXT_VERSION:
        yield Finding("ext", "was written by a newer version", "update gnode-orm", version)


@rule("block", code="segment-index-repeated", severity=WARNING)
def _segment_index_repeated(block: Any) -> Iterator[Finding]:
    """Segments of a block share an index."""
    repeated = _repeated(segment.index for segment in block.segments)
    if repeated:
        yield Finding("segments", "several segments have the same index", "number them", repeated)


@rule("segment", code="segment-without-block", severity=WARNING)
def _segment_without_block(segment: Any) -> Iterator[Finding]:
    """A segment that hangs in no block is seen by its creator alone."""
    if segment._raw("block") is None:
        yield Finding("block", "is not set", "set it: without a block only its creator sees the segment")


@rule("recordingchannelgroup", code="channel-index-repeated", severity=WARNING)
def _channel_index_repeated(group: Any) -> Iterator[Finding]:
    """Channels of a group share an index."""
    repeated = _repeated(channel.index for channel in group.recordingchannels)
    if repeated:
        yield Finding("recordingchannels", "several channels have the same index", "number them", repeated)


@rule("document", "section", code="section-name-repeated", severity=ERROR)
def _section_name_repeated(parent: Any) -> Iterator[Finding]:
    """Sections side by side share a name; odML finds sections by name."""
    repeated = _repeated(section.name for section in parent.sections)
    if repeated:
        yield Finding("sections", "several sections side by side have the same name", "rename them", repeated)


@rule("section", code="property-name-repeated", severity=ERROR)
def _property_name_repeated(section: Any) -> Iterator[Finding]:
    """Properties of a section share a name; odML finds properties by name."""
    repeated = _repeated(item.name for item in section.properties)
    if repeated:
        yield Finding("properties", "several properties of the section have the same name", "rename them", repeated)


@rule("section", code="section-type-missing", severity=ERROR)
def _section_type_missing(section: Any) -> Iterator[Finding]:
    """Each section has a type; odML demands one."""
    if not section.type:
        yield Finding("type", "is missing", "set it, for instance 'stimulus'")


@rule("section", code="section-type-default", severity=WARNING)
def _section_type_default(section: Any) -> Iterator[Finding]:
    """The type is the one that the odML library gives to sections without one."""
    if section.type == _NO_TYPE:
        yield Finding("type", "was never given", "set it, for instance 'stimulus'", section.type)


@rule("section", code="link-and-include", severity=WARNING)
def _link_and_include(section: Any) -> Iterator[Finding]:
    """A section takes its content either from a section of the same document or from a file."""
    if section.link and section.include:
        yield Finding("link", "stands beside an include", "keep one of them", section.link)


@rule("section", code="dependency-unknown", severity=WARNING)
def _dependency_unknown(section: Any) -> Iterator[Finding]:
    """A property depends on one that its section does not have."""
    names = {item.name for item in section.properties}
    for item in section.properties:
        if item.dependency and item.dependency not in names:
            yield Finding("properties", "a property depends on one that is not here", "add it", item.dependency)


def _repeated(items: Iterable[Any]) -> list[Any]:
    return [item for item, count in Counter(items).items() if count > 1 and item is not None]


def _above(entity: Any, path: Iterable[str]) -> Any:
    """Climb foreign keys that are loaded; ``None`` where one is not, or is not set."""
    for name in path:
        entity = entity._raw(name) if name in type(entity).__references__ else None
        if not isinstance(entity, Entity):
            return None
    return entity


def _has_ring(members: Mapping[str, Iterable[str]]) -> bool:
    """Whether something is inside itself: what holds nothing is taken away until nothing is left, or only rings."""
    open_ = {key: set(inner) & members.keys() for key, inner in members.items()}
    while closed := [key for key, inner in open_.items() if not inner]:
        for key in closed:
            del open_[key]
        for inner in open_.values():
            inner.difference_update(closed)
    return bool(open_)
