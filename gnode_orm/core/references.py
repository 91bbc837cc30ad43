"""Foreign keys of an entity: setting one keeps the collections on both parents right and joins their sessions."""

from __future__ import annotations

from typing import Any

from gnode_orm.core.collections import collection_named
from gnode_orm.core.failures import misspelt
from gnode_orm.core.schema import FieldSpec
from gnode_orm.core.tracked import Tracked
from gnode_orm.errors import DetachedError, ValidationFailed
from gnode_orm.location import Location


class Referring(Tracked):
    """An entity's foreign keys. One that was not resolved yet stands in the record, or under its late name."""

    def ref(self, name: str) -> Location | None:
        """Give the location that a foreign key names, without loading it; ``None`` for none or an unstored parent."""
        if not isinstance(name, str) or name not in type(self).__references__:
            raise misspelt(type(self), name, among=type(self).__references__)
        return _location_of(self._raw(name))

    def _resolve(self, spec: FieldSpec) -> Any:
        """Give the parent that a foreign key names, and hold it from then on."""
        location = self._raw(spec.name)
        if not isinstance(location, Location):
            vars(self)[spec.name] = location
            return location
        tracker = None if self._state is None else self._state.tracker
        if tracker is None:
            raise DetachedError(
                f"{self!r}: {spec.name} ({location}) was not loaded, and there is no open session to load it; add the "
                f"object to a session, load it with with_({spec.name!r}), or use ref({spec.name!r})"
            )
        parent = tracker.load_reference(self, spec.name, location.kind, location.number)
        vars(self)[spec.name] = parent
        vars(self).pop(spec.late_name, None)
        return parent

    def _locations(self) -> dict[str, Location]:
        """Give the foreign keys that were set to locations of which no object was loaded."""
        values = vars(self)
        return {spec.name: values[spec.late_name] for spec in type(self).__spec__.refs if spec.late_name in values}

    def _first_references(self, ways_up: tuple[tuple[str, str, str | None], ...]) -> None:
        """Hang a new object in under the parents that it was made with: under all of them or none."""
        values = self.__dict__
        if len(ways_up) > 1:
            _check_one_session([values.get(name) for name, _, _ in ways_up])
        for name, _, _ in ways_up:  # all before a session looks at the object
            if type(location := values.get(name)) is Location:
                self._put_location(name, location)
        try:
            for name, _, related in ways_up:
                parent = values.get(name)
                if parent is not None:
                    if related:
                        collection_named(parent, related).add_silently(self)
                    if parent._state is not None:
                        parent._join(self)
        except BaseException:
            for name, _, related in ways_up:
                parent = values.get(name)
                if parent is not None:
                    _take_out(self, related, parent)
            raise

    def _set_reference(self, name: str, value: Any) -> None:
        spec = type(self).__spec__.by_name[name]
        old = self._raw(name)
        value = self._loaded(spec, value)
        if value is old or (isinstance(value, Location) and value == _location_of(old)):
            return
        if isinstance(value, Referring):
            self._check_sessions(value)
        if self._state is not None:
            self._remember(name)
        parent = self._loaded(spec, old)
        if isinstance(parent, Referring) and spec.related:
            collection_named(parent, spec.related).discard_silently(self)
        self._put_reference(name, value)
        if isinstance(value, Referring):
            _hang_in(self, spec.related, value)
            try:
                self._join(value)
                self._come_back(value)
            except BaseException:
                _take_out(self, spec.related, value)
                self._put_reference(name, old)
                if isinstance(parent, Referring):
                    _hang_in(self, spec.related, parent)
                raise

    def _loaded(self, spec: FieldSpec, value: Any) -> Any:
        """Give the instance for a location that is in the identity map; other values as they are."""
        tracker = None if self._state is None else self._state.tracker
        if tracker is None or not isinstance(value, Location):
            return value
        found = tracker.find_loaded(value.kind, value.number)
        return value if found is None else found

    def _check_sessions(self, other: Referring) -> None:
        mine = None if self._state is None else self._state.tracker
        theirs = None if other._state is None else other._state.tracker
        if mine is not None and theirs is not None and mine is not theirs:
            raise ValidationFailed(
                f"{self!r} and {other!r} belong to different sessions; merge one of them into the other's session"
            )

    def _join(self, other: Referring) -> None:
        """Bring the other side into this object's session, or this object into the other's."""
        if self._state is None and other._state is None:
            return
        self._check_sessions(other)
        for here, there in ((self, other), (other, self)):
            state = here._state
            if state is not None and state.tracker is not None and there._state is None:
                state.tracker.join(there)

    def _come_back(self, parent: Referring) -> None:
        """Bring an object that lost its session into that of its new parent, or the change would never be written."""
        state = parent._state
        is_detached = self._state is not None and self._state.tracker is None
        if is_detached and state is not None and state.tracker is not None:
            state.tracker.join(self)


def _location_of(value: Any) -> Location | None:
    return value if value is None or isinstance(value, Location) else value.location


def _check_one_session(values: list[Any]) -> None:
    parents = [value for value in values if isinstance(value, Referring)]
    for place, parent in enumerate(parents):
        for other in parents[:place]:
            other._check_sessions(parent)


def _take_out(child: Referring, related: str | None, parent: Referring) -> None:
    if related:
        collection_named(parent, related).discard_silently(child)


def _hang_in(child: Referring, related: str | None, parent: Referring) -> None:
    if related:
        collection_named(parent, related).add_silently(child)
