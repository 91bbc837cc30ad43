"""Which ways to a server are open to others."""

from __future__ import annotations

import pytest

from gnode_orm.stores.rest.addresses import is_loopback, is_open


@pytest.mark.parametrize(
    ("host", "inside"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("lab.example", False)],
)
def test_which_addresses_are_reached_from_this_computer_alone(host: str, inside: bool) -> None:
    assert is_loopback(host) is inside


@pytest.mark.parametrize(
    ("address", "open_"),
    [
        ("https://lab.example", False),
        ("http://lab.example:8000", True),
        ("http://192.168.1.2", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
        ("http://localhost", False),
    ],
)
def test_what_goes_by_tls_or_stays_within_this_computer_is_not_open(address: str, open_: bool) -> None:
    assert is_open(address) is open_
