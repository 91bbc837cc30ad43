"""The recorded exchanges that show each defect, and those in which the peer still differs from the original."""

from __future__ import annotations

SHOWN_BY: dict[str, str] = {
    "access-lists-strict": "14_acl 56 58 70",
    "addresses-strict": "09_fk_forms 4 8 16 18",
    "any-file-taken": "12_files 10 12",
    "any-level-taken": "05_create 29; 07_update 12",
    "bare-failures": "05_create 30 54 60; 14_acl 59-61; 17_errors_debug1 5-9 11-12 18 36",
    "bulk-fails-without-reason": "13_in_bulk 31 43-44 47; 17_errors_debug1 42",
    "channel-groups-lost": "02_schema 12; 05_create 39-42; 06_get 12-13 30-31",
    "file-filters-useless": "19_filters 170-171",
    "forgery-token": "07_update 15 17; 17_errors_debug1 39",
    "friendly-is-private": "14_acl 95",
    "isnull-zero-means-null": "19_filters 47 63 108 128 145 182",
    "links-cascade": "11_delete 10 33",
    "local-id-obeyed": "05_create 35",
    "members-looked-up": "08_children_sets 7-9",
    "metadata-lost": "05_create 47-48 50-51; 06_get 8-11; 20_misc 19 31",
    "moved-segments-keep-their-block": "20_misc 29-30",
    "no-entity-tags": "16_conditional 3-5 9-10 12",
    "no-ordering": "10_paging_ordering 25-27",
    "owner-by-number": "19_filters 111 115 119",
    "owner-locked-out": "14_acl 52; 20_misc 23",
    "parents-required": "05_create 11-12 16 38 43-46 49 71; 09_fk_forms 14; 18_errors_debug0 14",
    "put-creates": "07_update 18; 11_delete 19",
    "readers-add": "14_acl 34 39 83 87-88; 20_misc 21-22",
    "redirects-lose-the-method": "01_auth 6",
    "sections-stay": "07_update 34 36-37",
    "shared-not-listed": "14_acl 29 43 79-80",
    "text-as-address": "20_misc 45",
    "text-limited": "05_create 28; 07_update 49; 17_errors_debug1 17",
    "unknown-file-is-410": "12_files 27; 14_acl 73",
    "unknown-keys-echoed": "05_create 33 62 90; 07_update 3 6-8; 15_history 3",
    "unreadable-is-401": "11_delete 38; 12_files 24-25; 14_acl 12-14 18-23 55 93; 20_misc 26",
    "unwritable-is-500": "14_acl 35-37 50-51 84-86",
    "values-required": "05_create 13 52 65 70 75-76; 13_in_bulk 29",
    "wrong-methods-are-401": "03_user 7; 06_get 48; 11_delete 21-22",
}
"""Status or shape of these answers is that of the original with the defect, and another one without any."""

VALUES: dict[str, tuple[str, int, str]] = {
    "units-lost": ("20_misc", 32, "t_start__unit"),
    "dates-as-times": ("05_create", 4, "date"),
    "own-levels": ("14_acl", 76, "safety_level"),
    "negative-zero-lost": ("20_misc", 37, "time"),
}
"""A member of an answer whose value is that of the original with the defect, and another one without any."""

ORDERED = "13_in_bulk 19; 17_errors_debug1 31; 18_errors_debug0 31"
"""Lists that come in the order of the last change."""

_SCHEMA = "the schema lists filters that were ignored"
_ROOT = "pages of the portal that stood beside the protocol"
_CYCLE = "a section may not stand inside itself"

REMAINING: dict[str, str] = {
    "02_schema 4-5 8-11 13-19": _SCHEMA,
    "02_schema 21; 06_get 46; 17_errors_debug1 40; 18_errors_debug0 40": _ROOT,
    "07_update 38-39; 08_children_sets 11": _CYCLE,
    "14_acl 92": "a public segment in a private block is not listed",
    "19_filters 45": "a lookup that the original knew and could not do",
    "19_filters 106": "a recorded id in lower case is none of today's",
    "19_filters 117": "accounts have one name",
    "19_filters 126": "filters do not tell of a section that may not be read",
    "20_misc 27": "an event is not shown to whom the block was shared that it stood in before",
}
"""Exchanges that the peer with every defect answers otherwise, with the reason."""


def keys(text: str) -> set[tuple[str, int]]:
    """Read ``topic 1 3-5; topic 2`` as the exchanges that it names."""
    found = set()
    for part in text.split(";"):
        topic, *numbers = part.split()
        for number in numbers:
            first, _, last = number.partition("-")
            found |= {(topic, n) for n in range(int(first), int(last or first) + 1)}
    return found
