"""What a server of API v1 cannot keep is told in the documentation."""

from __future__ import annotations

from tests.v1peer.exceptions import STORES, UOW, rows


def test_every_reason_is_a_row_of_the_documentation_and_every_row_is_a_reason() -> None:
    assert {*STORES.values(), *UOW.values()} == rows()
