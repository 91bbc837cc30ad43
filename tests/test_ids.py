from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.errors import ValidationFailed
from gnode_orm.ids import ALPHABET, FIRST, LAST, LENGTH, IdSource, decode_id, encode_id


@given(st.integers(FIRST, LAST))
def test_an_id_survives_its_spelling(number: int) -> None:
    text = encode_id(number)
    assert decode_id(text) == number
    assert len(text) == LENGTH
    assert set(text) <= set(ALPHABET)
    assert text[0] != "0"


@given(st.integers(FIRST, LAST), st.integers(FIRST, LAST))
def test_spellings_sort_like_the_numbers(a: int, b: int) -> None:
    assert (encode_id(a) < encode_id(b)) == (a < b)


@pytest.mark.parametrize(
    "text", ["", "2DFA548ES", "2DFA548ESCC", "0DFA548ESC", "2dfa548esc", "2DFA548ESW", "２DFA548ESC"]
)
def test_what_is_no_id_is_refused_with_what_is_needed(text: str) -> None:
    with pytest.raises(ValidationFailed, match="ten characters of 0-9 and A-V"):
        decode_id(text)


def test_ids_of_a_source_rise_and_never_repeat() -> None:
    source = IdSource()
    taken = [number for count in (1, 5, 100) for number in source.take(count)]
    assert taken == sorted(set(taken))
    assert all(FIRST <= number <= LAST for number in taken)


def test_a_restart_begins_elsewhere() -> None:
    source = IdSource()
    before = source.take(1)[0]
    source.restart()
    assert abs(source.take(1)[0] - before) > 1


def test_a_source_at_the_end_of_the_range_begins_anew() -> None:
    source = IdSource()
    source._next = LAST - 1
    assert list(source.take(10))[-1] <= LAST


def test_threads_never_take_the_same_id() -> None:
    source = IdSource()
    taken: list[int] = []

    def take() -> None:
        for _ in range(200):
            taken.extend(source.take(3))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == len(taken) == 4 * 200 * 3
