"""The figures that neo gives for each sample recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def expected(data: Path) -> dict[str, Any]:
    """What stands in each sample recording, by the name of its folder."""
    figures: dict[str, Any] = json.loads((data / "expected.json").read_text(encoding="utf-8"))
    return figures
