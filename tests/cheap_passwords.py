"""Passwords that are hashed with less work than a server does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher

from gnode_orm.stores.local import accounts


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Hash passwords so for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield
