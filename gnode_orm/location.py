"""Locations: the typed address ``/api/v1/<namespace>/<kind>/<id>/`` of a stored object."""

from __future__ import annotations

import re
from typing import Any

from gnode_orm.errors import ValidationFailed, did_you_mean
from gnode_orm.ids import decode_id, encode_id

METADATA = "metadata"
ELECTROPHYSIOLOGY = "electrophysiology"

NAMESPACES: dict[str, str] = {
    **dict.fromkeys(("document", "section", "property", "value"), METADATA),
    **dict.fromkeys(
        (
            "block",
            "segment",
            "recordingchannelgroup",
            "recordingchannel",
            "unit",
            "analogsignal",
            "analogsignalarray",
            "irregularlysampledsignal",
            "spiketrain",
            "spike",
            "event",
            "eventarray",
            "epoch",
            "epocharray",
        ),
        ELECTROPHYSIOLOGY,
    ),
}

_ADDRESS = re.compile(r"(?:https?://[^/]+(?:/[^?#]+(?=/api/v1/))?)?/?(?:api/v1/)?(?:([a-z_]+)/)?([a-z_]+)/([^/?#]+)/?")


class Location(str):
    """The address of one stored object.

    A location is text (``str``), so it can be printed, sent and compared as such. ``Location("block/2DFA548ESC")``
    accepts full URLs and short forms and always holds the canonical path.

    Raises:
        ValidationFailed: the text is no address, or its kind is unknown.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Location:
        if type(text) is Location:
            return text
        kind, id = _split(text)
        decode_id(id)
        return cls.of(kind, id)

    @classmethod
    def of(cls, kind: str, id: str) -> Location:
        """Build the location of a kind and a ten-character id that are known to be right."""
        return str.__new__(cls, f"/api/v1/{NAMESPACES[kind]}/{kind}/{id}/")

    @classmethod
    def of_number(cls, kind: str, number: int) -> Location:
        """Build the location of a kind and an id given as an integer."""
        return cls.of(kind, encode_id(number))

    @property
    def namespace(self) -> str:
        """``"electrophysiology"`` or ``"metadata"``."""
        return self.split("/")[3]

    @property
    def kind(self) -> str:
        """The kind in lower case, for instance ``"analogsignal"``."""
        return self.split("/")[4]

    @property
    def id(self) -> str:
        """The id within the kind, ten characters."""
        return self.split("/")[5]

    @property
    def number(self) -> int:
        """The id as an integer."""
        return decode_id(self.id)

    def __repr__(self) -> str:
        return f"Location({str(self)!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


def parse(text: str) -> tuple[str, int]:
    """Read a location in any of its forms as kind and id, without making a ``Location`` of it.

    Raises:
        ValidationFailed: the text is no address, or its kind is unknown.
    """
    kind, id = _split(text)
    return kind, decode_id(id)


def _split(text: str) -> tuple[str, str]:
    match = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValidationFailed(
            f"{text!r} is not a location; give /api/v1/<namespace>/<kind>/<id>/ or <kind>/<id>", value=text
        )
    namespace, kind, id = match.groups()
    if kind not in NAMESPACES:
        raise ValidationFailed(f"{text!r} names no kind that exists{did_you_mean(kind, NAMESPACES)}", value=text)
    if namespace is not None and namespace != NAMESPACES[kind]:
        raise ValidationFailed(f"{text!r}: {kind} belongs to the namespace {NAMESPACES[kind]!r}", value=text)
    return kind, id
