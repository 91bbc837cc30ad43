"""odML files: format versions 1.0 and 1.1 are read, 1.1 is written, each as XML, JSON or YAML."""

from gnode_orm.files.odml.reading import OdmlFile, is_odml, read_odml
from gnode_orm.files.odml.writing import write_odml

__all__ = ["OdmlFile", "is_odml", "read_odml", "write_odml"]
