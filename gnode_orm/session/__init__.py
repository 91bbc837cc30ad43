"""Sessions over labs: what applications use."""

from gnode_orm.session.commit import Commit
from gnode_orm.session.history import Version
from gnode_orm.session.lab import Lab, connect
from gnode_orm.session.plan import Plan, PlanItem
from gnode_orm.session.query import Query
from gnode_orm.session.session import Session

__all__ = ["Commit", "Lab", "Plan", "PlanItem", "Query", "Session", "Version", "connect"]
