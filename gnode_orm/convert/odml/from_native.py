"""odML objects -> models, new ones or those that stand for them already. Iterative, so that depth is no limit.

A model that stands for an object already is changed only where the object says something else than the model does, so
that converting an unchanged object again changes nothing, and fields that odML has no place for stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gnode_orm.convert.odml.attributes import EXT_FIELDS, EXT_VERSION, FIELDS, plain, stated, with_exact
from gnode_orm.convert.odml.library import kind_of_native, own_members
from gnode_orm.convert.odml.paths import Path
from gnode_orm.convert.odml.to_native import ordered_properties, ordered_sections
from gnode_orm.convert.odml.value_models import ext_of_values, put_values
from gnode_orm.convert.odml.value_text import same
from gnode_orm.core.entity import Entity
from gnode_orm.core.typed_json import encode
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.metadata import Document, Property, Section

_CLASSES: dict[str, Any] = {"document": Document, "section": Section, "property": Property}


class Reading:
    """One conversion: the pairs made so far, and the models that stand for natives already."""

    def __init__(self, known: Mapping[int, Entity]) -> None:
        self.known = known
        # (native, model) for each object, parents first.
        self.pairs: list[tuple[Any, Entity]] = []
        # Models whose native is gone; they hang nowhere any more.
        self.removed: list[Entity] = []
        self._seen: dict[int, Path] = {}
        # What hung below a model before, with the foreign key: it may turn up below another one.
        self._before: list[tuple[Any, str]] = []

    def read(self, native: Any) -> Entity:
        """Convert an odml object with everything below it."""
        kind = kind_of_native(native)
        if kind is None:
            raise ValidationFailed(
                f"{type(native).__name__} is not an odML object; give a Document, a Section or a Property", value=native
            )
        path = Path(kind)
        root = self._model(kind, native, path, {})
        waiting = [(native, root, path)]
        while waiting:
            above, model, place = waiting.pop()
            if isinstance(model, Section):
                self._properties(above, model, place)
            if isinstance(model, Document | Section):
                waiting.extend(self._sections(above, model, place))
        self._take_out()
        return root

    def _sections(self, native: Any, model: Document | Section, path: Path) -> list[tuple[Any, Entity, Path]]:
        before = ordered_sections(model)
        self._before.extend((section, model.kind) for section in before)
        made: list[Any] = []
        below = []
        for number, child in enumerate(own_members(native, native._sections)):
            place = path.to("sections", number)
            made.append(self._model("section", child, place, {model.kind: model}))
            below.append((child, made[-1], place))
        if ordered_sections(model) != made or not before:
            for number, section in enumerate(made):
                if section.tree_position != number:
                    section.tree_position = number
        return below

    def _properties(self, native: Any, model: Section, path: Path) -> None:
        before = ordered_properties(model)
        self._before.extend((item, "section") for item in before)
        made: list[Any] = []
        for number, child in enumerate(own_members(native, native._props)):
            place = path.to("properties", number)
            made.append(self._model("property", child, place, {"section": model}))
        if ordered_properties(model) != made or not before:
            for number, item in enumerate(made):
                _put_ext(item, {**item.ext, "v": EXT_VERSION, "position": number})

    def _take_out(self) -> None:
        """Take out the models whose native stands nowhere in the odML tree any more."""
        kept = {id(model) for _, model in self.pairs}
        for model, fk in self._before:
            if id(model) not in kept:
                setattr(model, fk, None)
                self.removed.append(model)

    def _model(self, kind: str, native: Any, path: Path, parent: dict[str, Any]) -> Entity:
        """Make or update the model of one object, with its values where it is a property."""
        self._check_first_time(native, path)
        known = self.known.get(id(native))
        try:
            model: Entity = (
                self._new(kind, native, parent) if known is None else self._updated(kind, native, known, parent)
            )
            if isinstance(model, Property):
                self.removed.extend(put_values(model, native, path, new=known is None))
        except ValidationFailed as error:
            raise _placed(error, kind, path) from None
        self.pairs.append((native, model))
        return model

    def _check_first_time(self, native: Any, path: Path) -> None:
        first = self._seen.setdefault(id(native), path)
        if first is not path:
            raise ValidationFailed(
                f"{path}: {type(native).__name__} {str(getattr(native, '_name', ''))[:60]!r} stands at {first} too; "
                "put a clone() in one of the two places",
                value=native,
            )

    def _new(self, kind: str, native: Any, parent: dict[str, Any]) -> Any:
        fields: dict[str, Any] = {}
        ext: dict[str, Any] = {"v": EXT_VERSION}
        for field, attribute in FIELDS[kind].items():
            value = getattr(native, attribute)
            fields[field] = plain(field, value)
            if fields[field] is not value:
                with_exact(ext, field, value)
        for key, attribute in EXT_FIELDS[kind].items():
            value = getattr(native, attribute)
            if value is not None:
                ext[key] = value
        if kind == "property":
            ext = ext_of_values(native, ext)
        return _CLASSES[kind](**fields, **parent, ext=ext)

    def _updated(self, kind: str, native: Any, model: Any, parent: dict[str, Any]) -> Any:
        if model.kind != kind:
            raise ValidationFailed(f"{model!r} stands for a {kind}; a {_CLASSES[kind].__name__} is needed", value=model)
        ext = {**model.ext, "v": EXT_VERSION}
        for field, attribute in FIELDS[kind].items():
            value, held = getattr(native, attribute), getattr(model, field)
            unnamed = field == "name" and not held and value == native._id
            if not unnamed and not same(stated(field, held, model.ext), value):
                setattr(model, field, plain(field, value))
                with_exact(ext, field, value)
        for key, attribute in EXT_FIELDS[kind].items():
            value = getattr(native, attribute)
            ext.pop(key, None)
            if value is not None:
                ext[key] = value
        _put_ext(model, ext)
        if parent:
            _hang(model, parent)
        return model


def _hang(model: Any, parent: dict[str, Any]) -> None:
    """Set the one foreign key of ``parent``, and unset the other one of a section that moved."""
    for fk in type(model).__references__:
        if getattr(model, fk) is not parent.get(fk):
            setattr(model, fk, parent.get(fk))


def _put_ext(model: Any, ext: dict[str, Any]) -> None:
    """Set ``ext`` where it says something new."""
    if encode(dict(sorted(ext.items()))) != encode(dict(sorted(model.ext.items()))):
        model._set_ext(ext)


def _placed(error: ValidationFailed, kind: str, path: Path) -> ValidationFailed:
    """Put the place in front of a message that names only the field."""
    if str(error).startswith(str(path)):
        return error
    entity = error.entity or _CLASSES[kind].__name__
    return ValidationFailed(
        f"{path}: {error}; change it in the odML object",
        entity=entity,
        field=error.field,
        value=error.value,
        errors=error.errors,
    )
