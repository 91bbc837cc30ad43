"""Texts of bounded length, for messages and tables."""

from __future__ import annotations


def shortened(text: str, most: int = 60) -> str:
    """Give a text, cut at its end where it has more than ``most`` characters."""
    return text if len(text) <= most else text[: most - 3] + "..."


def brief(value: object, most: int = 60) -> str:
    """Give what Python shows of a value, cut likewise."""
    return shortened(repr(value), most)
