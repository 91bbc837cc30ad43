"""What all electrophysiology models share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gnode_orm.core.entity import Entity
from gnode_orm.core.fields import Annotations, Extension, Mapped, Ref, extension, field, ref
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.natives import converter

if TYPE_CHECKING:  # named by text in the declarations below
    from gnode_orm.models.metadata import Section


class ElectrophysiologyEntity(Entity):
    """Base of the 14 kinds of the electrophysiology namespace."""

    name: Mapped[str | None] = field(default=None)
    description: Mapped[str | None] = field(default=None)
    file_origin: Mapped[str | None] = field(default=None)
    metadata: Ref["Section"] = ref(default=None)
    annotations: Annotations = field(default=None)
    ext: Extension = extension(default=None)

    @classmethod
    def from_neo(cls, native: Any) -> Self:
        """Make the model that stands for a neo object, with everything below it.

        Raises:
            ValidationFailed: the object has no exact counterpart; the message gives path and reason.
        """
        model = converter("neo").from_neo(native, cls)
        if not isinstance(model, cls):
            raise ValidationFailed(
                f"{type(native).__name__} becomes a {type(model).__name__}, not a {cls.__name__}", value=native
            )
        return model

    def to_neo(self) -> Any:
        """Make the neo object that this model stands for, with everything below it."""
        return converter("neo").to_neo(self)


def cut_along(annotations: Mapping[str, Any], count: int, keep: Any) -> dict[str, Any]:
    """Cut array annotations together with the axis of ``count`` items that they describe.

    ``keep`` indexes that axis; annotations of another length describe something else and stay whole.
    """
    numbers = np.arange(count)[keep]

    def cut(item: Any) -> Any:
        if isinstance(item, np.ndarray) and item.shape[:1] == (count,):
            return item[numbers]
        if isinstance(item, list) and len(item) == count:
            return [item[number] for number in numbers]
        return item

    return {name: cut(item) for name, item in annotations.items()}


class DataEntity(ElectrophysiologyEntity):
    """Base of the kinds that hold samples, spikes, events or epochs."""

    array_annotations: Annotations = field(default=None)
