"""Which groups a channel belongs to: only some servers show it, so what was written from here is remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.fields import CHANNEL_GROUPS
from gnode_orm.stores.rest.v1.records import Json
from gnode_orm.stores.rest.v1.unsupported import unsupported


class ChannelGroups:
    """The groups of the channels of one server.

    Args:
        items: gives the JSON of objects by kind and ids.
        target: address of the server.
    """

    def __init__(self, items: Callable[[str, Iterable[int]], dict[int, Json]], target: str) -> None:
        self._items = items
        self._target = target
        # By channel, the guid with which it was written and its groups then.
        self._written: dict[int, tuple[str, list[int]]] = {}

    def links(self, channels: Sequence[int], groups: Sequence[int]) -> list[tuple[int, int]]:
        """Give pairs of channel and group, as far as the server tells.

        Raises:
            UnsupportedByStore: it does not, as the original server, which forgets to show them.
        """
        if groups:
            raise unsupported(self._target, "which channels a group has", "look at the channels of the signals")
        items = self._items("recordingchannel", channels)
        known = self._told(items)
        untold = next((id_ for id_ in items if id_ not in known), None)
        if untold is not None:
            where = Location.of_number("recordingchannel", untold)
            raise unsupported(
                self._target, f"which groups {where} belongs to", "keep the groups where you made the channel"
            )
        return [(channel, group) for channel, members in known.items() for group in members]

    def of(self, channels: Sequence[int]) -> dict[int, list[int]]:
        """Give the groups of channels, where they are shown, or were written from here and are unchanged since."""
        return self._told(self._items("recordingchannel", channels))

    def wrote(self, channel: int, guid: str, groups: list[int]) -> None:
        """Remember the groups that a channel was written with."""
        self._written[channel] = (guid, groups)

    def _told(self, items: dict[int, Json]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for id_, item in items.items():
            shown = [Location(address).number for address in item.get(CHANNEL_GROUPS) or ()]
            guid, written = self._written.get(id_, ("", []))
            if shown:
                found[id_] = shown
            elif guid == item["guid"]:
                found[id_] = written
        return found
