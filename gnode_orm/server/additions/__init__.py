"""What the server offers beyond API v1, to clients that ask for it at one address; old clients never see it."""

from __future__ import annotations

from starlette.routing import Route

from gnode_orm.server.additions import arrays, changes, discovery, extending, records, uploading
from gnode_orm.server.additions.answering import message_endpoint
from gnode_orm.server.context import Context

PREFIX = "/api/v1/additions"


def routes(context: Context) -> list[Route]:
    """Give the routes of all additions."""
    messages = {**records.MESSAGES, **uploading.MESSAGES}
    return [
        Route(f"{PREFIX}/arrays/read", arrays.read_endpoint(context), methods=["POST"]),
        Route(f"{PREFIX}/", discovery.endpoint(context), methods=["GET"]),
        *(
            Route(f"{PREFIX}/{name}", message_endpoint(context, work), methods=["POST"])
            for name, work in messages.items()
        ),
        Route(f"{PREFIX}/changes", changes.changes_endpoint(context), methods=["POST"]),
        Route(f"{PREFIX}/arrays/small", uploading.small_endpoint(context), methods=["POST"]),
        Route(f"{PREFIX}/arrays/extend", extending.extend_endpoint(context), methods=["POST"]),
        Route(f"{PREFIX}/arrays/overview", arrays.overview_endpoint(context), methods=["POST"]),
        Route(f"{PREFIX}/arrays/uploads/{{upload}}/{{number}}", uploading.piece_endpoint(context), methods=["PUT"]),
        Route(f"{PREFIX}/arrays/{{kind}}/{{id}}/{{field}}", arrays.field_endpoint(context), methods=["GET"]),
    ]
