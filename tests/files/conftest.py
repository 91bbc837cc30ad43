"""The figures that neo gives for each sample recording."""

from __future__ import annotations
