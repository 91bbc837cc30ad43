"""Headers of BrainVision that are not written in UTF-8.

neo reads them as UTF-8. Version 1.0 of the format knew no other encoding than that of the machine, mostly that of
Western Windows, and only ``Codepage=UTF-8`` says otherwise.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_OF_WINDOWS = "cp1252"


@contextmanager
def headers_decoded() -> Iterator[None]:
    """Let neo's reader open headers and markers in the encoding that they have; readers take turns."""
    from neo.rawio import brainvisionrawio

    module: Any = brainvisionrawio
    module.open = _opened
    try:
        yield
    finally:
        del module.open


def _opened(name: str, *_: Any, **__: Any) -> io.StringIO:
    data = Path(name).read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        text = data.decode(_OF_WINDOWS, "replace")
        warnings.warn(
            f"{Path(name).name} is not in UTF-8 (byte 0x{data[error.start]:02x} at {error.start}): "
            f"read as {_OF_WINDOWS}",
            stacklevel=2,
        )
    return io.StringIO(text, newline=None)
