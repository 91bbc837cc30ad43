"""Real recordings: what neo reads in a file comes back from a store."""

from __future__ import annotations

from pathlib import Path

import neo
import pytest

from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import stored

FILES = [
    "multichannelAbf1WithTags.abf",
    "18702001-step.abf",
    "2018_11_16_sh_0006.abf",
    "File_axon_7.abf",
    "AxoGraph X File.axgx",
    "example_1.nev",
    "test_units.vhdr",
    "sampledata.rhd",
    "motor_units.smr",
]


@pytest.mark.parametrize("name", FILES)
def test_a_real_recording_comes_back_from_a_store(data: Path, name: str) -> None:
    (path,) = data.rglob(name)
    block = neo.io.get_io(str(path)).read_block()
    assert_isomorphic(block, stored(block))
