"""How many objects of each kind, in words."""

from __future__ import annotations

from collections.abc import Mapping

from gnode_orm.core.schema import SCHEMA


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Give ``3 Segment, 1 Event`` for the counts of kinds, ``nothing`` where there are none."""
    return ", ".join(f"{count} {SCHEMA[kind].class_name}" for kind, count in counts.items()) or "nothing"
