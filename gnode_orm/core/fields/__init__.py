"""The kinds of field that a model declares, typed so that checkers need no plugin.

Each annotation is a descriptor for type checkers alone: on an instance it gives the value, on the class a column to
build conditions from. At run time an annotation is nothing but a hook for pydantic's schema, so reads stay native.
Validators raise ``ValidationFailed``, a ``ValueError``, which pydantic collects beside its own errors.
"""

from gnode_orm.core.fields.documents import Annotations, Extension, ReadOnlyDict, extension
from gnode_orm.core.fields.measured import Measured, QuantityLike, RateQuantity, TimeQuantity
from gnode_orm.core.fields.plain import Mapped, field
from gnode_orm.core.fields.reference import Ref, ReferenceRule, ref
from gnode_orm.core.fields.sampled import LabelArray, SampleArray, Sampled, TimeArray, WaveformArray
from gnode_orm.core.fields.scaling import Scaling

__all__ = [
    "Annotations",
    "Extension",
    "LabelArray",
    "Mapped",
    "Measured",
    "QuantityLike",
    "RateQuantity",
    "ReadOnlyDict",
    "Ref",
    "ReferenceRule",
    "SampleArray",
    "Sampled",
    "Scaling",
    "TimeArray",
    "TimeQuantity",
    "WaveformArray",
    "extension",
    "field",
    "ref",
]
