"""Block, segment and event as SQLAlchemy's ORM declares them. Imported only where the ORM takes part."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Base of the three classes."""


class Block(Base):
    """A block."""

    __tablename__ = "block"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    segments: Mapped[list[Segment]] = relationship(back_populates="block")


class Segment(Base):
    """A segment of a block."""

    __tablename__ = "segment"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    index: Mapped[int]
    description: Mapped[str | None]
    block_id: Mapped[int] = mapped_column(sa.ForeignKey("block.id"), index=True)
    block: Mapped[Block] = relationship(back_populates="segments")
    events: Mapped[list[Event]] = relationship(back_populates="segment")


class Event(Base):
    """An event of a segment; its time is a value and a unit."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]
    time: Mapped[float]
    time_unit: Mapped[str]
    segment_id: Mapped[int] = mapped_column(sa.ForeignKey("segment.id"), index=True)
    segment: Mapped[Segment] = relationship(back_populates="events")


def engine_at(path: Path, echo: bool = False) -> sa.Engine:
    """Open a SQLite file as durable as ours, with the tables in it."""
    engine = sa.create_engine(f"sqlite:///{path}", echo=echo)
    sa.event.listen(engine, "connect", _durable)
    Base.metadata.create_all(engine)
    return engine


def _durable(connection: sa.engine.interfaces.DBAPIConnection, record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()
