"""The command ``query``: objects of one kind that meet filters."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gnode_orm.cli.failures import WrongUse
from gnode_orm.cli.lab_access import open_session
from gnode_orm.cli.options import JsonOption, LabOption, LimitOption, UserOption
from gnode_orm.cli.output import Column, note, say, write_json, write_table
from gnode_orm.cli.values import counted, name_of, short, text_of
from gnode_orm.errors import QueryError, ValidationFailed

KindArgument = Annotated[
    str, typer.Argument(metavar="KIND", help="What to look for: block, segment, analogsignal, spiketrain, section ...")
]
FilterArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILTER",
        help="Conditions that all hold: name__icontains=trial, sampling_rate__gt='10 kHz', segment__block__name=x, "
        "index__in=1,2,3, annotations__drug=TTX, block__isnull=true.",
        show_default=False,
    ),
]
OrderOption = Annotated[
    str | None,
    typer.Option("--order-by", metavar="FIELD", help="Sort by a field; -FIELD for falling.", show_default=False),
]

# What a table has no room for; --json has everything.
_LEFT_OUT = frozenset(
    {
        "annotations", "array_annotations", "ext", "description", "definition", "file_origin", "safety_level",
        "metadata",
        "gain", "offset", "repository", "reference", "link", "include", "mapping", "tree_position", "is_template",
        "encoder", "checksum", "waveforms", "waveform", "left_sweep",
    }
)  # fmt: skip
_NAMES = ("name", "label", "data", "author")


def query(
    kind: KindArgument,
    filters: FilterArgument = None,
    lab: LabOption = None,
    user: UserOption = None,
    order_by: OrderOption = None,
    limit: LimitOption = 100,
    json: JsonOption = False,
) -> None:
    """List objects of one kind that meet every filter.

    A filter is FIELD=VALUE or FIELD__LOOKUP=VALUE; fields behind foreign keys are reached with two underscores.

    Lookups: exact, contains, startswith, endswith and regex, with an i before them in any case; gt, gte, lt, lte, in,
    range, isnull.
    """
    from gnode_orm.cli.filters import kind_of, read_filters
    from gnode_orm.models import MODELS

    kind = kind_of(kind)
    wanted = read_filters(kind, filters or [])
    with open_session(lab, user, readonly=True) as session:
        found = _conditioned(session.query(MODELS[kind]), wanted, order_by)
        total = found.count()
        objects = list(found.limit(limit))
        if json:
            write_json({"kind": kind, "total": total, "objects": [item.model_dump(mode="json") for item in objects]})
            return
        if not objects:
            say(f"0 objects of kind {kind} visible to {session.user}{' meet the filter' if wanted else ''}")
            return
        _print(MODELS[kind], objects)
        if total > len(objects):
            note(f"{len(objects)} of {counted(total, kind)} are shown; --limit {total} shows all")


def _conditioned(found: Any, wanted: list[tuple[str, Any]], order_by: str | None) -> Any:
    try:
        for key, value in wanted:
            found = found.filter(**{key: value})
        return found.order_by(order_by) if order_by else found
    except (QueryError, ValidationFailed) as error:
        raise WrongUse(str(error)) from None


def _print(model: Any, objects: list[Any]) -> None:
    spec = model.__spec__
    naming = next((name for name in _NAMES if name in spec.by_name), None)
    names = [name for name in spec.by_name if name not in _LEFT_OUT and name != naming]
    columns = [
        Column(spec.kind, whole=True),
        Column(naming or "name"),
        *(_column(spec.by_name[name]) for name in names),
    ]
    rows = [
        [short(item.location), name_of(item) or "(no name)", *(_cell(item, name) for name in names)] for item in objects
    ]
    write_table(columns, rows)


def _column(field: Any) -> Column:
    from gnode_orm.core.schema import FieldType

    return Column(field.name, right=field.type is FieldType.QUANTITY, whole=field.type is FieldType.REF)


def _cell(item: Any, name: str) -> str:
    return text_of(item.ref(name) if name in type(item).__references__ else getattr(item, name))
