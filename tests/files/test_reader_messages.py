from __future__ import annotations

import logging
import sys
import threading
import warnings

import pytest

from gnode_orm.errors import FormatError
from gnode_orm.files.reader_messages import ReaderMessages, one_line, reason_of


def test_logs_warnings_and_prints_are_collected_once_each_with_their_count(capsys: pytest.CaptureFixture[str]) -> None:
    messages = ReaderMessages()
    for _ in range(2):
        with messages.listening():
            logging.getLogger("Neo").warning("odd header")
            logging.getLogger("neo.io.axonio.AxonIO").error("no channels")
            warnings.warn("guessed the rate", UserWarning, stacklevel=1)
            sys.stdout.write("Error: old version\n")
    assert messages.sentences() == [
        "odd header (2 times)",
        "no channels (2 times)",
        "Error: old version (2 times)",
        "guessed the rate (2 times)",
    ]
    assert capsys.readouterr() == ("", "")


def test_what_concerns_programmers_alone_is_not_told() -> None:
    messages = ReaderMessages()
    with messages.listening():
        warnings.warn("old call", DeprecationWarning, stacklevel=1)
        warnings.warn("open file", ResourceWarning, stacklevel=1)
        logging.getLogger("Neo").info("reading")
    assert messages.sentences() == []


def test_what_other_threads_print_is_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    messages = ReaderMessages()
    with messages.listening():
        other = threading.Thread(target=lambda: sys.stdout.write("progress\n"))
        other.start()
        other.join()
        assert sys.stdout.isatty() is False
    assert messages.sentences() == []
    assert capsys.readouterr().out == "progress\n"


def test_logging_is_as_before_afterwards(caplog: pytest.LogCaptureFixture) -> None:
    with ReaderMessages().listening():
        pass
    logging.getLogger("Neo").warning("for the user's own log")
    assert caplog.messages == ["for the user's own log"]


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            'Units "nV" can not be converted to a quantity. Using dimensionless instead',
            "unit 'nV' is unknown: kept as dimensionless, values not scaled",
        ),
        (
            "Can't handle unit 'Volt'. Returning dimensionless",
            "unit 'Volt' is unknown: kept as dimensionless, values not scaled",
        ),
        (
            "Cannot rescale to voltage, raw data will be returned.",
            "the header holds no scaling: raw counts are kept as dimensionless",
        ),
        ("two\n   lines", "two lines"),
    ],
)
def test_known_messages_are_said_in_plain_words(message: str, sentence: str) -> None:
    messages = ReaderMessages()
    with messages.listening():
        logging.getLogger("Neo").warning(message)
    assert messages.sentences() == [sentence]


def test_a_reason_is_one_line_of_bounded_length() -> None:
    assert reason_of(OSError("first\nsecond")) == "OSError: first second"
    assert reason_of(KeyError()) == "KeyError"
    assert reason_of(FormatError("truncated")) == "truncated"
    assert len(one_line("x" * 1000)) == 300
