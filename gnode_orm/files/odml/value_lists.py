"""The text of ``<value>`` in odML 1.1 XML: one value, or a list ``[a,b]`` in the manner of CSV."""

from __future__ import annotations

import re

# A quoted field may lack its closing quote at the end: odml's own writer cuts it off there.
_FIELD = re.compile(r'"((?:[^"]|"")*)(?:"([^,]*)|$)|([^,]*)')


def split_values(text: str | None) -> list[str]:
    """Give the values that the text of a ``<value>`` element lists."""
    if not text:
        return []
    listed = text.strip()
    if not (listed.startswith("[") and listed.endswith("]") and len(listed) > 1):
        return [text]
    inner = listed[1:-1]
    if not inner:
        return []
    values = []
    position = 0
    while True:
        found = _FIELD.match(inner, position)
        assert found is not None, "the last alternative matches everywhere"
        quoted, rest, bare = found.groups()
        values.append(bare if quoted is None else quoted.replace('""', '"') + (rest or ""))
        position = found.end() + 1
        if found.end() >= len(inner):
            return values


def join_values(values: list[str]) -> str:
    """Write values so that ``split_values`` and the odml library give them back."""
    if len(values) == 1 and _is_plain(values[0]):
        return values[0]
    return f"[{','.join(map(_quoted, values))}]"


def _is_plain(value: str) -> bool:
    return value == value.strip() and bool(value) and not (value.startswith("[") and value.endswith("]"))


def _quoted(value: str) -> str:
    safe = value and value == value.strip() and not re.search(r'[,"\r\n]', value)
    return value if safe else '"' + value.replace('"', '""') + '"'
