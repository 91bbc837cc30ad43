"""Channels that join and leave channel groups."""

from __future__ import annotations

from gnode_orm.core.changes import Link
from gnode_orm.errors import AccessDenied, IntegrityError
from gnode_orm.stores.local.work import Work, label

_COLUMNS = "channel, grp, born, n, owner"


def change_links(work: Work) -> None:
    """Write the changed memberships; joining twice and leaving what was not joined change nothing."""
    created = {row[0] for row in work.changes.creates.get("recordingchannel", ())}
    for link in work.changes.links:
        _check(work, link)
        if link.channel not in created or not link.added:
            work.moved["recordingchannel"].add(link.channel)
        if not link.added:
            _leave(work, link)
    joined = [
        {"channel": link.channel, "grp": link.group, "seq": work.seq, "n": number, "owner": work.actor}
        for number, link in enumerate(work.changes.links)
        if link.added
    ]
    if joined:
        work.transaction.run_many(
            f"INSERT INTO recordingchannel_group ({_COLUMNS}) VALUES (:channel, :grp, :seq, :n, :owner) "
            "ON CONFLICT (channel, grp) DO NOTHING",
            joined,
        )


def _check(work: Work, link: Link) -> None:
    for kind, id_ in (("recordingchannel", link.channel), ("recordingchannelgroup", link.group)):
        state = work.states[kind].get(id_)
        if not (state.readable if state is not None else id_ in work.roots[kind]):
            raise IntegrityError(f"{label(kind, id_)} of a membership does not exist")
    group = work.states["recordingchannelgroup"].get(link.group)
    if group is not None and not group.writable:
        raise AccessDenied(f"{label('recordingchannelgroup', link.group)} can be read but not changed by {work.actor}")


def _leave(work: Work, link: Link) -> None:
    this = "WHERE channel = :channel AND grp = :grp"
    params = {"channel": link.channel, "grp": link.group}
    work.transaction.run(
        f"INSERT INTO recordingchannel_group_past ({_COLUMNS}, until) "
        f"SELECT {_COLUMNS}, :seq FROM recordingchannel_group {this} AND born < :seq",
        **params,
        seq=work.seq,
    )
    work.transaction.run(f"DELETE FROM recordingchannel_group {this}", **params)


def remove_links(work: Work, column: str, ids: list[int]) -> None:
    """End every membership of deleted channels or groups; channels that stay get their root anew."""
    these = f"WHERE {column} {work.transaction.database.compiler.in_ids}"
    bound = work.transaction.ids(ids)
    channels = work.transaction.query(f"SELECT channel FROM recordingchannel_group {these}", ids=bound)
    if not channels:
        return
    work.moved["recordingchannel"].update(channel for (channel,) in channels)
    work.transaction.run(
        f"INSERT INTO recordingchannel_group_past ({_COLUMNS}, until) "
        f"SELECT {_COLUMNS}, :seq FROM recordingchannel_group {these} AND born < :seq",
        ids=bound,
        seq=work.seq,
    )
    work.transaction.run(f"DELETE FROM recordingchannel_group {these}", ids=bound)
