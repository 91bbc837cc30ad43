"""Models -> odml objects. Iterative, so that depth is no limit."""

from __future__ import annotations

from typing import Any

from gnode_orm.convert.odml.attributes import EXT_FIELDS, FIELDS, VALUE_FIELDS, stated
from gnode_orm.convert.odml.library import bare_native, hang_property, hang_section
from gnode_orm.convert.odml.losses import Losses
from gnode_orm.convert.odml.paths import Path
from gnode_orm.convert.odml.property_content import Content, contents
from gnode_orm.core.entity import Entity
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.metadata import Document, Property, Section

_NO_PLACE = {"section": ("mapping", "is_template"), "property": ("mapping",)}


def native_of(model: Entity, losses: Losses) -> Any:
    """Make the odml object of a document, section or property, with everything below it."""
    path = Path(model.kind)
    if isinstance(model, Property):
        made = _properties(model, path, losses)
        if len(made) > 1:
            raise ValidationFailed(
                f"{path}: its values need {len(made)} odML properties; convert its section", entity="Property"
            )
        return made[0]
    if not isinstance(model, Document | Section):
        raise ValidationFailed(
            f"A {type(model).__name__} has no odML object of its own; convert its property, section or document",
            entity=type(model).__name__,
            value=model,
        )
    return _tree(model, path, losses)


def ordered_sections(parent: Document | Section) -> list[Section]:
    """Give the sections below one, by ``tree_position``, then in insertion order."""
    return sorted(parent.sections, key=lambda section: section.tree_position)


def ordered_properties(parent: Section) -> list[Property]:
    """Give the properties of a section by the place that they had in odML; later ones stand behind."""
    members = list(parent.properties)
    return sorted(members, key=lambda item: item.ext.get("position", len(members)))


def _tree(root: Document | Section, path: Path, losses: Losses) -> Any:
    native = _bare(root, path, losses)
    seen = {id(root)}
    waiting: list[tuple[Document | Section, Any, Path]] = [(root, native, path)]
    while waiting:
        model, made, place = waiting.pop()
        if isinstance(model, Section):
            _hang_properties(model, made, place, losses)
        sections = ordered_sections(model)
        names = _Names("Section", losses)
        for number, child in enumerate(sections):
            below = place.to("sections", number)
            if id(child) in seen:
                raise ValidationFailed(
                    f"{below}: {child!r} stands in two places; give it one parent", entity="Section", field="section"
                )
            seen.add(id(child))
            child_native = _bare(child, below, losses)
            child_native._name = names.take(child_native._name, below)
            hang_section(made, child_native)
            waiting.append((child, child_native, below))
    return native


def _hang_properties(model: Section, made: Any, place: Path, losses: Losses) -> None:
    names = _Names("Property", losses)
    for number, child in enumerate(ordered_properties(model)):
        below = place.to("properties", number)
        for part in _properties(child, below, losses):
            part._name = names.take(part._name, below)
            hang_property(made, part)


def _properties(model: Property, path: Path, losses: Losses) -> list[Any]:
    """Make the odml property of a model; several where its values disagree and losses are collected."""
    made = []
    for number, content in enumerate(contents(model, path, losses)):
        native = _bare(model, path, losses)
        if number:
            native._name = f"{native._name} [{number + 1}]"
            native.new_id()
        _fill(native, content)
        if losses.as_said:
            native._dtype = content.dtype if content.typed else None
            native._texts = content.texts
        made.append(native)
    return made


def _fill(native: Any, content: Content) -> None:
    native._dtype = content.dtype
    native._values = content.values
    for field, attribute in VALUE_FIELDS.items():
        setattr(native, attribute, content.attributes[field])


def _bare(model: Any, path: Path, losses: Losses) -> Any:
    """Make an odml object without members. What its model does not say, such as an id, is as odml makes it."""
    _mention_homeless(model, path, losses)
    attributes = {
        attribute: stated(field, getattr(model, field), model.ext) for field, attribute in FIELDS[model.kind].items()
    }
    kept = {attribute: model.ext[key] for key, attribute in EXT_FIELDS[model.kind].items() if key in model.ext}
    native = bare_native(model.kind, {**attributes, **kept})
    if model.kind != "document" and not native._name:
        native._name = native._id  # as odml names what has no name
        if losses.as_said:
            losses.mention(path, f"{type(model).__name__}.name: odML demands one, so the id was written")
    elif losses.as_said and "oid" not in model.ext:
        native._id = None
    return native


def _mention_homeless(model: Any, path: Path, losses: Losses) -> None:
    if losses.strict:
        return
    for field in _NO_PLACE.get(model.kind, ()):
        if getattr(model, field):
            losses.mention(path, f"{type(model).__name__}.{field}: odML 1.1 has no place for it")


class _Names:
    """The names that the members of one parent have taken; odML allows each only once."""

    def __init__(self, entity: str, losses: Losses) -> None:
        self._entity = entity
        self._losses = losses
        self._taken: set[str] = set()

    def take(self, name: str, path: Path) -> str:
        """Give the name back if it is free, else refuse it or find one that is."""
        if name in self._taken:
            self._losses.refuse(
                path,
                self._entity,
                "name",
                name,
                f"{name!r} is taken by a sibling, and odML allows each name once; rename one of them",
                "a name that a sibling has was given a number",
            )
            base, number = name, 2
            while name in self._taken:
                name, number = f"{base} [{number}]", number + 1
        self._taken.add(name)
        return name
