"""JSON with the words that old clients read and write."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.errors import ValidationFailed
from gnode_orm.wire import json_text

values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(values)
def test_what_is_written_is_read_back(value: object) -> None:
    assert json_text.loads(json_text.dumps(value)) == value


def test_keys_are_sorted() -> None:
    assert json_text.dumps({"b": 1, "a": [2]}) == b'{"a":[2],"b":1}'


def test_odd_numbers_are_bare_words() -> None:
    assert json_text.dumps({"b": math.inf, "a": [math.nan]}) == b'{"a": [NaN], "b": Infinity}'
    assert math.isnan(json_text.loads(b"[NaN]")[0])


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000, b"nan"])
def test_other_text_is_refused(text: bytes) -> None:
    with pytest.raises(ValidationFailed, match="not JSON"):
        json_text.loads(text)
