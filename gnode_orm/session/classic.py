"""The calls of the original client: ``create``, ``close``, and ``set``, ``select``, ``set_all`` of a session."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gnode_orm.core.arguments import check
from gnode_orm.core.entity import Entity
from gnode_orm.errors import DuplicateUploadWarning, ValidationFailed, did_you_mean
from gnode_orm.models import MODELS
from gnode_orm.models.natives import converter
from gnode_orm.session.classic_filters import read_filters
from gnode_orm.session.natives import library_of

if TYPE_CHECKING:
    from gnode_orm.session.session import Session


_CREATED: weakref.WeakSet[Session] = weakref.WeakSet()


def create(target: Any = None, **options: Any) -> Session:
    """Open a session, as the original client's ``session.create``; takes what ``Session`` takes."""
    from gnode_orm.session.session import Session

    session = Session(target, **options)
    _CREATED.add(session)
    return session


def close(session: Session | None = None) -> None:
    """Close a session; without one, every session that ``create`` opened."""
    for item in list(_CREATED) if session is None else [session]:
        item.close()
        _CREATED.discard(item)


class Uploads:
    """Objects that were given to ``set`` and have no location of their own: giving them again makes another object."""

    def __init__(self) -> None:
        self._seen: dict[int, weakref.ref[Any]] = {}

    def note(self, obj: Any) -> None:
        """Warn when an object comes a second time."""
        if any(seen() is obj for seen in (self._seen.get(id(obj)),) if seen is not None):
            warnings.warn(
                f"{_named(obj)} was set before and knows nothing of it, so that now there are two; go on with what "
                "set() returns, or use add()",
                DuplicateUploadWarning,
                stacklevel=4,
            )
        self._seen[id(obj)] = weakref.ref(obj)


def _named(obj: Any) -> str:
    """Name an object: neo shows its blocks and segments by an address in memory alone."""
    return repr(obj) if isinstance(obj, Entity) else f"{type(obj).__name__} {getattr(obj, 'name', None)!r}"


def set_one(session: Session, uploads: Uploads, obj: Any) -> Entity:
    """Write an object and its unstored parents; an argument that is not stored is left untouched."""
    model = obj
    if not isinstance(obj, Entity):
        model = converter(library_of(obj)).convert(obj).model
    if model not in session and (model._state is None or not model._state.stored):
        uploads.note(obj)
        model = _upward(model, {})
    written: Entity = session.merge(model)
    session.commit()
    return written


def set_all(session: Session, obj: Any) -> Entity:
    """Write an object with its parents and everything below it."""
    model: Entity = session.add(obj)
    session.commit()
    return model


def select(session: Session, kind: str, filters: Mapping[str, Any] | None) -> list[Any]:
    """Give the objects of a kind that meet some lookups, whose values may be text as in an address.

    Raises:
        ValidationFailed: there is no such kind.
    """
    if not isinstance(kind, str) or kind not in MODELS:
        text = f"select({kind!r}): there is no such kind{did_you_mean(kind, MODELS)}"
        raise ValidationFailed(text, field="kind", value=kind)
    given = {} if filters is None else filters
    check("select(filters)", given, Mapping, "a dict of lookups and values")
    read = read_filters(kind, given)
    query = session.query(MODELS[kind]).filter(**read.lookups).offset(read.offset)
    return (query if read.limit is None else query.limit(read.limit)).all()


def _upward(model: Entity, copies: dict[int, Entity]) -> Entity:
    """Copy a transient object and its transient parents, without what else hangs below them."""
    chain = [model]
    for entity in chain:
        if id(entity) not in copies:
            copies[id(entity)] = entity.model_copy()
            chain += [parent for parent in _parents(entity) if parent._state is None]
    for entity in dict.fromkeys(chain):
        for name in type(entity).__references__:
            parent = vars(entity).get(name)
            if parent is not None and id(parent) in copies:
                setattr(copies[id(entity)], name, copies[id(parent)])
    return copies[id(model)]


def _parents(entity: Entity) -> list[Entity]:
    values = vars(entity)
    return [values[name] for name in type(entity).__references__ if values.get(name) is not None]
