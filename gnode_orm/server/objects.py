"""The 18 kinds: lists, single objects, several at once; create, change, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from gnode_orm.core.changes import ChangeSet, Delete
from gnode_orm.core.select import Select
from gnode_orm.errors import IntegrityError, NotFound
from gnode_orm.ids import encode_id
from gnode_orm.server.endpoints import Call
from gnode_orm.server.filters import Filters
from gnode_orm.server.ordering import order_of
from gnode_orm.server.paging import meta, page_of
from gnode_orm.server.problems import Refusal
from gnode_orm.server.reading import eager_paths, find, shown, shown_objects
from gnode_orm.server.writing import Writer, retrying
from gnode_orm.wire import json_text
from gnode_orm.wire.delta import bare_id

_MAX_SET = 1000


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON."""
    given = {"Vary": "Accept, Cookie", "Cache-Control": "no-cache", **(headers or {})}
    return Response(json_text.dumps(value), status, given, "application/json")


def kind_of(call: Call) -> str:
    """The kind that the address names."""
    return call.params["kind"]


def list_objects(call: Call) -> Response:
    """Answer with one page of a kind."""
    kind = kind_of(call)
    pairs = call.request.query_params.multi_items()
    page = page_of(pairs)
    where = Filters(call.store, call.user).where(kind, pairs)
    select = Select(kind, where, order_of(kind, pairs), limit=page.limit, offset=page.offset, eager=eager_paths(kind))
    total = call.store.count(select, call.user)
    items = shown(call.store, kind, select, call.user, call.base)
    return json_answer({"meta": meta(call.request.url.path, pairs, page, total), "selected": items})


def get_object(call: Call) -> Response:
    """Answer with one object, or that the client's copy is still right."""
    kind = kind_of(call)
    columns = find(call.store, kind, call.params["id"], call.user)
    tag = call.store.guid(kind, columns["id"], columns["rev"])
    if names_tag(call.request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=_tagged(tag))
    return _one(call, kind, columns["id"])


def get_several(call: Call) -> Response:
    """Answer with the objects of a list of ids; one that comes twice is shown twice."""
    kind = kind_of(call)
    texts = [text for text in call.params["ids"].split(";") if text]
    if len(texts) > _MAX_SET:
        raise Refusal(400, f"At most {_MAX_SET} objects can be asked for at once, not {len(texts)}")
    ids = [find(call.store, kind, text, call.user)["id"] for text in dict.fromkeys(texts)]
    items = {item["id"]: item for item in shown_objects(call.store, kind, ids, call.user, call.base)}
    return json_answer({"selected": [items[text] for text in texts]})


def create_object(call: Call) -> Response:
    """Make an object."""
    kind, body = kind_of(call), call.json()

    def write() -> int:
        writer = Writer(call.store, call.user)
        id_ = writer.create(kind, body)
        writer.apply()
        return id_

    return _one(call, kind, retrying(write), 201)


def put_list(call: Call) -> Response:
    """Make several objects, all or none."""
    kind = kind_of(call)
    ids = _write_several(call, lambda writer, body: writer.create(kind, body))
    return json_answer({"selected": shown_objects(call.store, kind, ids, call.user, call.base)})


def patch_list(call: Call) -> Response:
    """Change the objects that are named by ``resource_uri``, make the others; all or none."""
    kind = kind_of(call)
    ids = _write_several(call, lambda writer, body: _change_or_create(writer, kind, body))
    return json_answer({"objects": shown_objects(call.store, kind, ids, call.user, call.base)}, 202)


def _write_several(call: Call, write_one: Callable[[Writer, Any], int]) -> list[int]:
    bodies = _several(call)

    def write() -> list[int]:
        writer = Writer(call.store, call.user)
        ids = [write_one(writer, body) for body in bodies]
        if ids:
            writer.apply()
        return ids

    written: list[int] = retrying(write)
    return written


def put_object(call: Call) -> Response:
    """Change an object; what the body leaves out stays."""
    return _one(call, kind_of(call), _change(call))


def patch_object(call: Call) -> Response:
    """Change an object; what the body leaves out stays."""
    return _one(call, kind_of(call), _change(call), 202)


def delete_object(call: Call) -> Response:
    """Delete an object and what stands below it; optional references to it become null."""
    kind = kind_of(call)

    def write() -> None:
        columns = find(call.store, kind, call.params["id"], call.user)
        conditional = check_tag(call, kind, columns)
        preview = call.store.preview_delete(kind, columns["id"], call.user)
        changes = ChangeSet(deletes=[Delete(kind, columns["id"], columns["rev"], preview)])
        try:
            call.store.apply(changes, call.user)
        except IntegrityError:
            # Something was added below in between: look again, unless the client wants to hear of it.
            if conditional or call.store.preview_delete(kind, columns["id"], call.user) == preview:
                raise
            call.store.apply(_deleting(call, kind), call.user)

    retrying(write, stale_too="if-match" not in call.request.headers)
    return Response(status_code=204)


def _deleting(call: Call, kind: str) -> ChangeSet:
    columns = find(call.store, kind, call.params["id"], call.user)
    preview = call.store.preview_delete(kind, columns["id"], call.user)
    return ChangeSet(deletes=[Delete(kind, columns["id"], columns["rev"], preview)])


def not_here(call: Call) -> Response:
    """Posting to an object means nothing in this protocol."""
    raise Refusal(501, "An object is changed with PUT or PATCH, and made by posting to the list")


def check_tag(call: Call, kind: str, columns: dict[str, Any]) -> bool:
    """Refuse a change that is based on another version; tells whether the client named one.

    Raises:
        Refusal: 412.
    """
    wanted = call.request.headers.get("if-match")
    if wanted is None:
        return False
    tag = call.store.guid(kind, columns["id"], columns["rev"])
    if not names_tag(wanted, tag):
        raise Refusal(
            412, f"The {kind} {encode_id(columns['id'])} was changed since version {wanted[:80]}; it is {tag} now"
        )
    return True


def _change(call: Call) -> int:
    kind, body = kind_of(call), call.json()
    conditional = "if-match" in call.request.headers

    def write() -> int:
        columns = find(call.store, kind, call.params["id"], call.user)
        check_tag(call, kind, columns)
        writer = Writer(call.store, call.user)
        writer.update(kind, columns, body)
        writer.apply()
        return int(columns["id"])

    return int(retrying(write, stale_too=not conditional))


def _change_or_create(writer: Writer, kind: str, body: Any) -> int:
    named = body.get("resource_uri") or body.get("location") if isinstance(body, dict) else None
    if named is None:
        return writer.create(kind, body)
    columns = find(writer.store, kind, bare_id(kind, named) or "", writer.actor)
    writer.update(kind, columns, body)
    return int(columns["id"])


def _several(call: Call) -> list[Any]:
    body = call.json()
    bodies = body.get("selected", body.get("objects")) if isinstance(body, dict) else None
    if not isinstance(bodies, list):
        raise Refusal(400, "Invalid data sent.")
    return bodies


def _one(call: Call, kind: str, id_: int, status: int = 200) -> Response:
    found = shown_objects(call.store, kind, [id_], call.user, call.base)
    if not found and call.request.method in ("GET", "HEAD"):
        raise NotFound(f"There is no {kind} {encode_id(id_)} any more")
    if not found:
        return Response(status_code=204)  # written, and now where the sender cannot see it
    (item,) = found
    headers = _tagged(item["guid"])
    if status == 201:
        headers["Location"] = f"{call.base}{item['location']}"
    return json_answer(item, status, headers)


def _tagged(tag: str) -> dict[str, str]:
    return {"ETag": f'"{tag}"'}


def names_tag(header: str | None, tag: str) -> bool:
    """Tell whether a header names a version; old clients leave the quotes out."""
    if header is None:
        return False
    named = [item.strip().removeprefix("W/").strip('"') for item in header.split(",")]
    return tag in named or "*" in named
