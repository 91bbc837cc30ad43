"""The command ``show``: one object, what it belongs to and what hangs below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from rich.tree import Tree

from gnode_orm.cli.lab_access import find, open_session
from gnode_orm.cli.options import JsonOption, LabOption, LocationArgument, UserOption
from gnode_orm.cli.output import printable, say, stdout, write_json
from gnode_orm.cli.values import counted, moment, name_of, short, text_of
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.errors import NotFound

if TYPE_CHECKING:
    from gnode_orm.session import Session

_BRANCHES = 10
_LEAVES = 5
_DEPTH = {"block": ("segments",), "document": ("sections", "sections"), "section": ("sections",)}
_TIMES_OF = {"spiketrain": "spike", "eventarray": "event", "epocharray": "epoch"}
_HIDDEN = frozenset({"annotations", "array_annotations", "ext"})
_LEVELS = {1: "public", 2: "friendly: every account of the lab", 3: "private"}


def show(location: LocationArgument, lab: LabOption = None, user: UserOption = None, json: JsonOption = False) -> None:
    """Show an object: its fields, what it belongs to, what it holds."""
    with open_session(lab, user, readonly=True) as session:
        obj = find(session, location)
        counts = _children_counts(session, obj)
        if json:
            write_json({**obj.model_dump(mode="json"), "children": counts})
            return
        say(f"{type(obj).__name__} {name_of(obj)}".rstrip(), style="bold")
        _print_pairs(_fields(obj), "")
        for name in ("annotations", "array_annotations"):
            _print_annotations(obj, name)
        _print_counts(counts)
        if obj.kind in _DEPTH and any(counts.values()):
            _print_tree(session, obj)


def _fields(obj: Any) -> list[tuple[str, str]]:
    pairs = [("location", str(obj.location))]
    for spec in type(obj).__spec__.fields:
        if spec.name in _HIDDEN:
            continue
        text = _reference(obj, spec.name) if spec.name in type(obj).__references__ else _field(obj, spec.name)
        if text:
            pairs.append((spec.name, text))
    pairs += _derived(obj)
    return [*pairs, ("owner", obj.owner), ("created", moment(obj.date_created)), ("modified", moment(obj.modified))]


def _field(obj: Any, name: str) -> str:
    value = getattr(obj, name)
    if name == "safety_level":
        return f"{value} ({_LEVELS[value]})"
    text = text_of(value, length=1000)
    return f"{text} ({value.dtype})" if isinstance(value, ArrayHandle) else text


def _reference(obj: Any, name: str) -> str:
    location = obj.ref(name)
    if location is None:
        return ""
    try:
        called = name_of(getattr(obj, name))
    except NotFound:
        called = "not shared with you"
    return f"{short(location)} {called}".rstrip()


def _derived(obj: Any) -> list[tuple[str, str]]:
    """What follows from the fields and is asked for often."""
    if obj.kind not in ("analogsignal", "analogsignalarray") or obj.signal is None or obj.sampling_rate is None:
        return []
    pairs = [("duration", text_of(obj.duration.rescale("s")))]
    return [*pairs, ("channels", ", ".join(obj.channel_names))] if obj.channel_names else pairs


def _children_counts(session: Session, obj: Any) -> dict[str, int]:
    return {item.name: _count(session, obj, item) for item in type(obj).__spec__.relations}


def _count(session: Session, obj: Any, relation: Any) -> int:
    if relation.many_to_many:
        return len(getattr(obj, relation.name))
    count: int = _members(session, obj, relation).count()
    return count


def _members(session: Session, obj: Any, relation: Any) -> Any:
    from gnode_orm.models import MODELS

    return session.query(MODELS[relation.kind]).filter(**{relation.fk: obj})


def _print_pairs(pairs: list[tuple[str, str]], indent: str) -> None:
    width = max((len(name) for name, _ in pairs), default=0)
    for name, text in pairs:
        line = Text(f"{indent}{printable(name):<{width}}  ", style="dim")
        line.append(printable(text), style="default not dim")
        stdout().print(line)


def _print_annotations(obj: Any, name: str) -> None:
    found = getattr(obj, name, None)
    if found:
        say(f"{name.replace('_', ' ')}:")
        _print_pairs([(str(key), text_of(value, length=200)) for key, value in found.items()], "  ")


def _print_counts(counts: dict[str, int]) -> None:
    if any(counts.values()):
        say("holds " + ", ".join(_amount(number, name) for name, number in counts.items() if number))


def _amount(number: int, name: str) -> str:
    one = "property" if name == "properties" else name.removesuffix("s")
    return f"{number:,} {name if number != 1 else one}"


def _print_tree(session: Session, obj: Any) -> None:
    tree = Tree(Text(printable(_line(obj))), guide_style="dim")
    _grow(session, tree, obj, _DEPTH[obj.kind])
    say("")
    stdout().print(tree)


def _grow(session: Session, tree: Tree, obj: Any, path: tuple[str, ...]) -> None:
    """Hang the first members of each collection below a branch; those of ``path`` branch further."""
    spec = type(obj).__spec__
    for relation in spec.relations:
        if relation.many_to_many or (obj.kind == "section" and relation.name in ("blocks", "segments")):
            continue
        branching = bool(path) and relation.name == path[0]
        limit = _BRANCHES if branching else _LEAVES
        members = _members(session, obj, relation)
        total = members.count()
        for member in members.limit(limit) if total else ():
            branch = tree.add(Text(printable(_line(member))))
            if branching:
                _grow(session, branch, member, path[1:])
        if total > limit:
            tree.add(Text(f"and {total - limit:,} more of {relation.name}", style="dim"))


def _line(obj: Any) -> str:
    return "  ".join(part for part in (short(obj.location), name_of(obj), _gist(obj)) if part)


def _gist(obj: Any) -> str:
    """Say in a few words what an object holds."""
    parts = [text_of(getattr(obj, name, None)) for name in ("signal", "sampling_rate", "time", "duration")
             if name in type(obj).__spec__.by_name]  # fmt: skip
    times = getattr(obj, "times", None) if "times" in type(obj).__spec__.by_name else None
    if times is not None and obj.kind != "irregularlysampledsignal":
        parts.insert(0, counted(len(times), _TIMES_OF[obj.kind]))
    if obj.kind == "property":
        parts.append(", ".join(f"{value.data or ''} {value.unit or ''}".strip() for value in obj.values))
    return ", ".join(part for part in parts if part)
