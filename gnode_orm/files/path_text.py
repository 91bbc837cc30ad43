"""Paths as text of one line that can be stored and printed, whatever bytes the name of a file has."""

from __future__ import annotations

import os
import re

_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def path_text(path: str | os.PathLike[str]) -> str:
    r"""Give a path as text: ``\n`` for a line end, ``\xe9`` for a byte that is not UTF-8."""
    return _UNFIT.sub(_escaped, os.fspath(path))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that it could not decode
        return f"\\x{code - 0xDC00:02x}"
    return found[0].encode("unicode_escape").decode("ascii")
