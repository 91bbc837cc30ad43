"""Metadata after odML: documents, sections, properties and values."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import AfterValidator

from gnode_orm.core.children import Children
from gnode_orm.core.entity import Entity
from gnode_orm.core.fields import Extension, Mapped, Ref, extension, field, ref
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.natives import converter

if TYPE_CHECKING:  # named by text in the declarations below
    from gnode_orm.models.containers import Block, Segment  # noqa: F401


def _safety_level(level: int) -> int:
    if level not in (1, 2, 3):
        raise ValidationFailed(f"{level} is not a level; use 1 (public), 2 (friendly) or 3 (private)", value=level)
    return level


SafetyLevel = Annotated[int, AfterValidator(_safety_level)]
"""1 public, 2 friendly (every account of the lab), 3 private."""


class MetadataEntity(Entity):
    """Base of the 4 kinds of the metadata namespace."""

    @classmethod
    def from_odml(cls, native: Any) -> Self:
        """Make the model that stands for an odML object, with everything below it.

        Raises:
            ValidationFailed: the object has no exact counterpart; the message gives path and reason.
        """
        model = converter("odml").from_odml(native)
        if not isinstance(model, cls):
            raise ValidationFailed(
                f"{type(native).__name__} becomes a {type(model).__name__}, not a {cls.__name__}", value=native
            )
        return model

    def to_odml(self) -> Any:
        """Make the odML object that this model stands for, with everything below it."""
        return converter("odml").to_odml(self)


class Document(MetadataEntity):
    """The root of a tree of metadata (odML Document)."""

    kind: ClassVar[str] = "document"

    author: Mapped[str | None] = field(default=None, kw_only=False)
    date: Mapped[dt.date | None] = field(default=None)
    version: Mapped[str | None] = field(default=None)
    repository: Mapped[str | None] = field(default=None)
    safety_level: Mapped[SafetyLevel] = field(default=3, description="1 public, 2 friendly, 3 private")
    ext: Extension = extension(default=None)
    sections = Children["Section"]("section", fk="document")


class Section(MetadataEntity):
    """A named group of properties and sections (odML Section)."""

    kind: ClassVar[str] = "section"
    __roots__: ClassVar[tuple[str, ...]] = ("section", "document")

    name: Mapped[str | None] = field(default=None, kw_only=False)
    type: Mapped[str | None] = field(default=None)
    definition: Mapped[str | None] = field(default=None)
    reference: Mapped[str | None] = field(default=None)
    link: Mapped[str | None] = field(default=None)
    include: Mapped[str | None] = field(default=None)
    repository: Mapped[str | None] = field(default=None)
    mapping: Mapped[str | None] = field(default=None)
    tree_position: Mapped[int] = field(default=0)
    is_template: Mapped[bool] = field(default=False)
    document: Ref["Document"] = ref("sections", default=None)
    section: Ref["Section"] = ref("sections", default=None)
    ext: Extension = extension(default=None)
    sections = Children["Section"]("section", fk="section")
    properties = Children["Property"]("property", fk="section")
    blocks = Children["Block"]("block", fk="metadata")
    segments = Children["Segment"]("segment", fk="metadata")


class Property(MetadataEntity):
    """A named list of values (odML Property)."""

    kind: ClassVar[str] = "property"
    __roots__: ClassVar[tuple[str, ...]] = ("section",)

    name: Mapped[str | None] = field(default=None, kw_only=False)
    definition: Mapped[str | None] = field(default=None)
    mapping: Mapped[str | None] = field(default=None)
    dependency: Mapped[str | None] = field(default=None)
    dependencyvalue: Mapped[str | None] = field(default=None)
    section: Ref["Section"] = ref("properties", default=None)
    ext: Extension = extension(default=None)
    values = Children["Value"]("value", fk="property")


class Value(MetadataEntity):
    """One value of a property, as text, with its unit and uncertainty (odML 1.0 Value)."""

    kind: ClassVar[str] = "value"
    __roots__: ClassVar[tuple[str, ...]] = ("property",)

    data: Mapped[str | None] = field(default=None, kw_only=False)
    unit: Mapped[str | None] = field(default=None)
    uncertainty: Mapped[str | None] = field(default=None)
    reference: Mapped[str | None] = field(default=None)
    definition: Mapped[str | None] = field(default=None)
    filename: Mapped[str | None] = field(default=None)
    encoder: Mapped[str | None] = field(default=None)
    checksum: Mapped[str | None] = field(default=None)
    property: Ref["Property"] = ref("values", default=None)
    ext: Extension = extension(default=None)
