"""Conditions as one would write them, for those who look at one."""

from __future__ import annotations

from typing import Any

from gnode_orm.core.schema import SCHEMA, KindSpec
from gnode_orm.core.select import And, AnyOf, Comparison, Measure, Node, Not

_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def described(node: Node, spec: KindSpec) -> str:
    """Give a condition on a kind as an expression: ``Segment.name == 'a' & ~(Segment.index > 3)``."""
    if isinstance(node, Comparison):
        return _comparison(node, spec)
    if isinstance(node, AnyOf):
        return _any_of(node, spec)
    if isinstance(node, Not):
        return f"~({described(node.item, spec)})"
    sign = " & " if isinstance(node, And) else " | "
    return sign.join(f"({described(item, spec)})" for item in node.items)


def _comparison(node: Comparison, spec: KindSpec) -> str:
    column = f"{spec.class_name}.{node.attr}"
    if node.operator in _SIGNS:
        return f"{column} {_SIGNS[node.operator]} {_value(node.value)}"
    if node.operator == "in" and isinstance(node.value, tuple):
        return f"{column}.in_([{', '.join(map(_value, node.value))}])"
    if node.operator == "between" and isinstance(node.value, tuple):
        return f"{column}.between({', '.join(map(_value, node.value))})"
    if node.operator == "is_null":
        return f"{column}.is_null({'' if node.value else 'False'})"
    return f"{column}.{node.operator}({_value(node.value)})"


def _any_of(node: AnyOf, spec: KindSpec) -> str:
    owner = spec
    for step in node.path:
        owner = SCHEMA[owner.by_name[step].target or ""]
    members = SCHEMA[owner.relation_by_name[node.relation].kind]
    inner = "" if node.condition is None else described(node.condition, members)
    return f"{'.'.join((spec.class_name, *node.path, node.relation))}.any({inner})"


def _value(value: Any) -> str:
    return f"{value.value:g} {value.unit}" if isinstance(value, Measure) else repr(value)
