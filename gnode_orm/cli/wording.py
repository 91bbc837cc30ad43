"""Messages of the package in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable

# An argument that a message names ends at the sign; ``metadata=<section/...>`` shows the value of a field.
_OPTIONS: dict[str, str | Callable[[re.Match[str]], str]] = {
    r"\btimezone=(?!\S*[\w<])": "--timezone",
    r"\bmetadata=(?!\S*[\w<])": "--metadata",
    r"\breader_options=(?!\S*[\w<])": "--reader-option",
    r"\b(keep_personal|keep_paths|cascade|replace|again)=True\b": lambda match: "--" + match[1].replace("_", "-"),
    r"\breader='(\w+)'": r"--reader \1",
    r"\barrays=": "GNODE_ORM_ARRAYS",
}


def in_options(message: str) -> str:
    """Name options as they are typed here, where a message names arguments of Python."""
    for argument, option in _OPTIONS.items():
        message = re.sub(argument, option, message)
    return message
