"""neo objects <-> models, without loss or with a loud refusal.

classes     which neo class meets which kinds
walk        what hangs together with a neo object, each object once, with its path
refusal     errors that name the path, such as ``block.segments[3].spiketrains[1].times``
reading     the field values of one neo object
signals     signals and image sequences, both ways; so for spikes and events
proxies     signals that neo has not loaded yet, as arrays that read what is asked for
extension   the layout of ``ext``: what the 18 kinds cannot hold
building    models from a walk: new ones, or the known ones updated in place
membership  groups and views: who refers to whom
writing     one neo object from one model
assembly    graphs of neo objects from models
"""

from gnode_orm.convert.conversion import Conversion
from gnode_orm.convert.neo.assembly import to_neo
from gnode_orm.convert.neo.building import convert, from_neo

__all__ = ["Conversion", "convert", "from_neo", "to_neo"]
