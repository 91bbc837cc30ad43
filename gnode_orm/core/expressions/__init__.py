"""Conditions written on the classes: ``Segment.name == "a"``, ``AnalogSignal.sampling_rate > 1 * pq.kHz``.

A column knows its path from the selected kind and builds plain nodes (``core.select``); nothing is evaluated here.
"""

from gnode_orm.core.expressions.columns import Column, JsonColumn, QuantityColumn
from gnode_orm.core.expressions.condition import Condition, Ordering
from gnode_orm.core.expressions.paths import META_FIELDS, RefColumn, RelationColumn, column

__all__ = [
    "META_FIELDS",
    "Column",
    "Condition",
    "JsonColumn",
    "Ordering",
    "QuantityColumn",
    "RefColumn",
    "RelationColumn",
    "column",
]
