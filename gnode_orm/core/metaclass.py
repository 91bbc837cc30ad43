"""How a declared class gets its columns and its schema."""

from __future__ import annotations

from inspect import Signature
from typing import TYPE_CHECKING, Any, dataclass_transform

from gnode_orm.core import fields as field_rules
from gnode_orm.core.children import Children
from gnode_orm.core.expressions import Condition, column
from gnode_orm.core.fields.reference import DECLARED
from gnode_orm.core.given import GivenNames
from gnode_orm.core.pydantic_bridge import FORMER_METHODS, FieldValidators, ModelMetaclass
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, KindSpec
from gnode_orm.core.signatures import signature_of
from gnode_orm.location import NAMESPACES

_building = 0


@dataclass_transform(
    eq_default=False, kw_only_default=True, field_specifiers=(field_rules.field, field_rules.extension, field_rules.ref)
)
class EntityMeta(ModelMetaclass):
    """Gives classes their columns: ``Segment.name`` is something to build conditions from."""

    if TYPE_CHECKING:
        # ``Segment.block`` is typed as ``type[Block]``, so that its fields can be reached; these make it comparable.
        def __eq__(cls, other: object) -> Condition: ...  # type: ignore[override]
        def __ne__(cls, other: object) -> Condition: ...  # type: ignore[override]
        def is_(cls, other: Any) -> Condition: ...
        def in_(cls, others: Any) -> Condition: ...
        def is_null(cls, yes: bool = True) -> Condition: ...

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        global _building
        _building += 1
        try:
            cls: Any = super().__new__(mcs, name, bases, namespace, **options)
        finally:
            _building -= 1
        # Built at the first use of a class; kept on a base, they would be found by every class below it.
        cls.__validators__, cls.__given__ = FieldValidators(), GivenNames(cls)
        if "kind" in namespace:
            _describe(cls)
        elif hasattr(cls, "__spec__"):
            _extend(cls)
        return cls

    if not TYPE_CHECKING:

        def __getattr__(cls, name: str) -> Any:
            # pydantic asks a base for its attributes while it builds a subclass; columns would look like defaults.
            spec = None if _building or name.startswith("_") else getattr(cls, "__spec__", None)
            return super().__getattr__(name) if spec is None else column(spec.kind, spec, name)

        def __dir__(cls) -> list[str]:
            names = set(super().__dir__()) - FORMER_METHODS
            spec = cls.__dict__.get("__spec__")
            return sorted(names if spec is None else names | spec.by_name.keys())

        @property
        def __signature__(cls) -> Signature:
            if "__spec__" not in cls.__dict__:
                raise AttributeError("__signature__")
            return signature_of(cls)

        @__signature__.setter
        def __signature__(cls, value: Any) -> None:
            """Leave pydantic's own signature, which names the classes of its annotations, alone."""


def _describe(cls: Any) -> None:
    """Derive the schema of a new class from its declaration."""
    specs = tuple(_field_spec(name, info) for name, info in cls.model_fields.items())
    relations = tuple(item.relation for item in vars(cls).values() if isinstance(item, Children))
    cls.namespace = NAMESPACES[cls.kind]
    spec = KindSpec(cls.kind, cls.namespace, cls.__name__, specs, relations, cls.__dict__.get("__roots__", ()))
    cls.__spec__ = spec
    cls.__offsets__ = _offsets(specs)
    as_read = (FieldType.TEXT, FieldType.INTEGER)
    cls.__as_read__ = {item.name: cls.__offsets__[item.name] for item in specs if item.type in as_read}
    cls.__all_fields__, cls.__own_fields__ = set(cls.model_fields), frozenset()
    cls.__positional__ = next(name for name, info in cls.model_fields.items() if info.kw_only is False)
    cls.__references__ = frozenset(item.name for item in spec.refs)
    SCHEMA[cls.kind], DECLARED[cls.kind] = spec, cls


def _extend(cls: Any) -> None:
    """Take note of what a class below a kind adds: its objects are stored as those of the kind."""
    cls.__own_fields__ = frozenset(cls.model_fields) - cls.__spec__.by_name.keys()
    for name in cls.__pydantic_decorators__.model_validators.keys() & vars(cls).keys():
        text = "model validators are not called; write check(self), which runs on construction and before every write"
        raise TypeError(f"{cls.__name__}.{name}: {text}")


def _offsets(specs: tuple[FieldSpec, ...]) -> dict[str, int]:
    """Where each field's columns begin in a record, behind its meta columns."""
    offsets = {}
    place = 0
    for spec in specs:
        offsets[spec.name] = place
        place += len(spec.read_columns)
    return offsets


def _field_spec(name: str, info: Any) -> FieldSpec:
    for rule in info.metadata:
        if isinstance(rule, field_rules.ReferenceRule):
            return FieldSpec(name, FieldType.REF, target=rule.kind, related=info.json_schema_extra["related"])
    annotation = info.annotation
    if isinstance(annotation, type) and issubclass(annotation, field_rules.Measured):
        return FieldSpec(name, FieldType.QUANTITY, annotation.dimension)
    if isinstance(annotation, type) and issubclass(annotation, field_rules.Sampled):
        return FieldSpec(name, FieldType.ARRAY, annotation.dimension)
    if annotation in (field_rules.Annotations, field_rules.Extension):
        return FieldSpec(name, FieldType.JSON)
    if annotation is field_rules.Scaling:
        return FieldSpec(name, FieldType.NUMBERS)
    return FieldSpec(name, field_rules.Mapped.field_type(annotation))
