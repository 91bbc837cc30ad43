"""The command ``ls``: blocks and documents with what they hold, counted by the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gnode_orm.cli.lab_access import open_session
from gnode_orm.cli.options import JsonOption, LabOption, LimitOption, UserOption
from gnode_orm.cli.output import Column, note, say, write_json, write_table
from gnode_orm.cli.values import counted, name_of, short

if TYPE_CHECKING:
    from gnode_orm.session import Session

# What a block holds, as people call it, and the kinds that are counted.
CONTENTS: dict[str, tuple[str, ...]] = {
    "signals": ("analogsignal", "analogsignalarray", "irregularlysampledsignal"),
    "spike trains": ("spiketrain",),
    "spikes": ("spike",),
    "events": ("event", "eventarray"),
    "epochs": ("epoch", "epocharray"),
}
_SECTIONS_SHOWN = 4


def ls(lab: LabOption = None, user: UserOption = None, limit: LimitOption = 100, json: JsonOption = False) -> None:
    """List blocks and documents, what they hold, and who owns them."""
    with open_session(lab, user, readonly=True) as session:
        totals = {kind: _query(session, kind).count() for kind in ("block", "document")}
        blocks = _blocks(session, list(_query(session, "block").limit(limit)))
        documents = [_document(document) for document in _query(session, "document").limit(limit).with_("sections")]
        if json:
            write_json({"user": session.user, "totals": totals, "blocks": blocks, "documents": documents})
        else:
            _print(session, totals, blocks, documents)


def block_contents(session: Session, blocks: list[Any]) -> dict[Any, dict[str, int]]:
    """Count what hangs below each of some blocks, by their locations; one statement counts a kind for all of them."""
    counts = {block.location: {"segments": 0, **dict.fromkeys(CONTENTS, 0)} for block in blocks}
    if not blocks:
        return counts
    for label, kinds in {"segments": ("segment",), **CONTENTS}.items():
        for kind in kinds:
            path = "block" if kind == "segment" else "segment.block"
            below = _query(session, kind).filter(**{f"{path.replace('.', '__')}__in": blocks})
            for location, number in below.count_by(path).items():
                counts[location][label] += number
    return counts


def in_words(counts: dict[str, int]) -> str:
    """Give ``3 segments, 1 signal``, leaving out what there is none of."""
    return ", ".join(counted(number, label.removesuffix("s")) for label, number in counts.items() if number) or "empty"


def _query(session: Session, kind: str) -> Any:
    from gnode_orm.models import MODELS

    return session.query(MODELS[kind])


def _blocks(session: Session, blocks: list[Any]) -> list[dict[str, Any]]:
    contents = block_contents(session, blocks)
    return [
        {
            "location": block.location,
            "name": block.name,
            **{label.replace(" ", "_"): number for label, number in contents[block.location].items()},
            **_ownership(block),
        }
        for block in blocks
    ]


def _document(document: Any) -> dict[str, Any]:
    sections = document.sections
    return {
        "location": document.location,
        "author": document.author,
        "version": document.version,
        "date": document.date,
        "sections": len(sections),
        "first_sections": [name_of(section) for section in sections[:_SECTIONS_SHOWN]],
        **_ownership(document),
    }


def _ownership(root: Any) -> dict[str, Any]:
    return {"owner": root.owner, "modified": root.modified}


def _print(
    session: Session, totals: dict[str, int], blocks: list[dict[str, Any]], documents: list[dict[str, Any]]
) -> None:
    if not any(totals.values()):
        say(f"0 blocks visible to {session.user}; others' private blocks are not listed")
        note(f"Bring in recordings: gnode-orm import FILES... --lab {session.store.target}")
        return
    if blocks:
        _print_blocks(blocks)
    if blocks and documents:
        say("")
    if documents:
        _print_documents(documents)
    for kind, shown in (("block", blocks), ("document", documents)):
        if totals[kind] > len(shown):
            note(f"{len(shown)} of {counted(totals[kind], kind)} are shown; --limit {totals[kind]} shows all")


def _print_blocks(blocks: list[dict[str, Any]]) -> None:
    labels = ["segments", *CONTENTS]
    # Without "spike" the table fits a window of 80 columns.
    numbers = [Column(label.removeprefix("spike "), right=True) for label in labels]
    rows = [
        [
            short(item["location"]),
            item["name"] or "(no name)",
            item["owner"],
            *(_number(item[label.replace(" ", "_")]) for label in labels),
        ]
        for item in blocks
    ]
    write_table([Column("block", whole=True), Column("name"), Column("owner"), *numbers], rows)


def _print_documents(documents: list[dict[str, Any]]) -> None:
    columns = ["author", "version", "date"]
    rows = [
        [short(item["location"]), _sections(item), *(str(item[name] or "") for name in columns), item["owner"]]
        for item in documents
    ]
    write_table(
        [Column("document", whole=True), Column("sections"), *(Column(name) for name in columns), Column("owner")], rows
    )


def _sections(item: dict[str, Any]) -> str:
    names = [name for name in item["first_sections"] if name]
    if not names:
        return str(item["sections"])
    more = item["sections"] - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _number(count: int) -> str:
    return f"{count:,}" if count else ""
