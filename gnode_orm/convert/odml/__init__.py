"""odml objects <-> models, both ways without loss (odml 1.5).

A property's values become ``Value`` models: text by dtype, with the property's unit, uncertainty, reference and value
origin on each of them. What no field can hold stands in ``ext``: ids, dtype, cardinality, place in the list, and exact
values where text would not say them. Links, includes and repositories are text and are never resolved; what a resolved
link had copied into a section is left out.

Going back, fields without a place in odML 1.1 (``mapping``, ``is_template``, a single value's ``definition``,
``encoder`` and ``checksum``) stay in the models alone, and an empty value is ``None`` in the property's list. Values
of one property that disagree in dtype, unit, uncertainty, reference or file name have no exact odml object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gnode_orm.convert.conversion import Conversion
from gnode_orm.convert.odml.from_native import Reading
from gnode_orm.convert.odml.losses import Losses
from gnode_orm.convert.odml.to_native import native_of
from gnode_orm.core.entity import Entity

__all__ = ["Conversion", "convert", "from_odml", "to_odml"]


def from_odml(native: Any) -> Entity:
    """Make the model of an odml Document, Section or Property, with everything below it.

    Raises:
        ValidationFailed: something that the models cannot hold; the message gives its path.
    """
    return convert(native).model


def convert(native: Any, known: Mapping[int, Entity] | None = None) -> Conversion:
    """Convert an odml object; ``known`` maps ``id(native)`` to the model to be updated in place.

    Raises:
        ValidationFailed: something that the models cannot hold; the message gives its path.
    """
    reading = Reading(known or {})
    model = reading.read(native)
    return Conversion(model, reading.pairs, reading.removed)


def to_odml(model: Entity, *, losses: list[str] | None = None, as_said: bool = False) -> Any:
    """Make the odml object that a model stands for, with everything below it.

    With a list for ``losses``, what odML 1.1 cannot hold is described there, and left out or put elsewhere: empty
    values are left out, values that disagree go into properties of their own, repeated names get a number.

    ``as_said`` is for writing a file: the object has no id and no dtype where its model says none, and each property
    carries the texts of its values beside them, so that a file can say 750 where odml would say 750.0.

    Raises:
        ValidationFailed: without ``losses``, where the odml object would be false; the message gives its path.
    """
    found = Losses(strict=losses is None, as_said=as_said)
    native = native_of(model, found)
    if losses is not None:
        losses.extend(found.lines())
    return native
