"""For users' own tests: a store that fails on demand, and an example lab."""

from gnode_orm.testing.example import example_block, example_lab
from gnode_orm.testing.faulty import FaultyStore

__all__ = ["FaultyStore", "example_block", "example_lab"]
