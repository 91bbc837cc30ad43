"""Block, segment and event as SQLModel declares them. Imported only where SQLModel takes part."""

# No postponed annotations here: SQLModel reads those of relationships itself.
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Field, Relationship, SQLModel

from benchmarks.peers.orm import _durable


class Block(SQLModel, table=True):
    """A block."""

    __tablename__ = "sm_block"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    segments: list["Segment"] = Relationship(back_populates="block")


class Segment(SQLModel, table=True):
    """A segment of a block."""

    __tablename__ = "sm_segment"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    index: int
    description: str | None = None
    block_id: int | None = Field(default=None, foreign_key="sm_block.id", index=True)
    block: Block | None = Relationship(back_populates="segments")
    events: list["Event"] = Relationship(back_populates="segment")


class Event(SQLModel, table=True):
    """An event of a segment; its time is a value and a unit."""

    __tablename__ = "sm_event"
    id: int | None = Field(default=None, primary_key=True)
    label: str
    time: float
    time_unit: str
    segment_id: int | None = Field(default=None, foreign_key="sm_segment.id", index=True)
    segment: Segment | None = Relationship(back_populates="events")


def engine_at(path: Path) -> sa.Engine:
    """Open a SQLite file as durable as ours, with the tables in it."""
    engine = sa.create_engine(f"sqlite:///{path}")
    sa.event.listen(engine, "connect", _durable)
    SQLModel.metadata.create_all(engine)
    return engine
