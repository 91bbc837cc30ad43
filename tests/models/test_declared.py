"""The 18 models against the table of the public contract."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import gnode_orm
from gnode_orm.core.schema import SCHEMA, FieldType
from gnode_orm.location import NAMESPACES
from gnode_orm.models import MODELS

# class: own fields (the first may be given by position) | foreign keys | collections
TABLE = {
    "Document": ("author date version repository safety_level", "", "sections"),
    "Section": (
        "name type definition reference link include repository mapping tree_position is_template",
        "document section",
        "sections properties blocks segments",
    ),
    "Property": ("name definition mapping dependency dependencyvalue", "section", "values"),
    "Value": ("data unit uncertainty reference definition filename encoder checksum", "property", ""),
    "Block": (
        "name description filedatetime index safety_level rec_datetime",
        "metadata",
        "segments recordingchannelgroups",
    ),
    "Segment": (
        "name description filedatetime index rec_datetime",
        "block metadata",
        "analogsignals analogsignalarrays irregularlysampledsignals spiketrains spikes events eventarrays epochs "
        "epocharrays",
    ),
    "Event": ("label time name description", "segment metadata", ""),
    "Epoch": ("label time duration name description", "segment metadata", ""),
    "EventArray": ("times labels name description", "segment metadata", ""),
    "EpochArray": ("times labels durations name description", "segment metadata", ""),
    "RecordingChannelGroup": ("name description", "block metadata", "recordingchannels units analogsignalarrays"),
    "RecordingChannel": (
        "name description index",
        "metadata",
        "recordingchannelgroups analogsignals irregularlysampledsignals",
    ),
    "Unit": ("name description", "recordingchannelgroup metadata", "spiketrains spikes"),
    "SpikeTrain": (
        "times t_start t_stop waveforms left_sweep sampling_rate name description",
        "segment unit metadata",
        "",
    ),
    "Spike": ("time waveform left_sweep sampling_rate name description", "segment unit metadata", ""),
    "AnalogSignal": (
        "signal t_start sampling_rate gain offset name description",
        "segment recordingchannel metadata",
        "",
    ),
    "AnalogSignalArray": (
        "signal t_start sampling_rate gain offset name description",
        "segment recordingchannelgroup metadata",
        "",
    ),
    "IrregularlySampledSignal": ("signal times t_start name description", "segment recordingchannel metadata", ""),
}
METADATA = {"Document", "Section", "Property", "Value"}
CONTAINERS = {"Block", "Segment", "RecordingChannelGroup", "RecordingChannel", "Unit"}


def shared_fields(name: str) -> set[str]:
    if name in METADATA:
        return {"ext"}
    common = {"annotations", "file_origin", "ext"}
    return common if name in CONTAINERS else common | {"array_annotations"}


@pytest.mark.parametrize("name", TABLE)
def test_a_class_has_exactly_the_fields_of_the_contract(name: str) -> None:
    own, keys, collections = (set(words.split()) for words in TABLE[name])
    spec = SCHEMA[name.lower()]
    refs = {item.name for item in spec.refs}
    assert refs == keys
    assert set(spec.by_name) - refs == own | shared_fields(name)
    assert {item.name for item in spec.relations} == collections
    assert set(getattr(gnode_orm, name).model_fields) == set(spec.by_name)


@pytest.mark.parametrize("name", TABLE)
def test_the_first_field_is_given_by_position(name: str) -> None:
    assert MODELS[name.lower()].__positional__ == TABLE[name][0].split()[0]


@pytest.mark.parametrize("name", TABLE)
def test_a_class_knows_its_kind_and_namespace(name: str) -> None:
    model = getattr(gnode_orm, name)
    assert (model.kind, model.__name__) == (name.lower(), name)
    assert model.namespace == ("metadata" if name in METADATA else "electrophysiology")
    assert MODELS[model.kind] is model
    assert SCHEMA[model.kind].class_name == name


def test_there_are_eighteen() -> None:
    assert set(SCHEMA) == set(MODELS) == set(NAMESPACES) == {name.lower() for name in TABLE}


FOREIGN_KEYS = [(kind, item) for kind, spec in SCHEMA.items() for item in spec.refs]
COLLECTIONS = [(kind, item) for kind, spec in SCHEMA.items() for item in spec.relations]


@pytest.mark.parametrize(("kind", "key"), FOREIGN_KEYS, ids=[f"{kind}.{key.name}" for kind, key in FOREIGN_KEYS])
def test_a_foreign_key_and_its_collection_name_each_other(kind: str, key: Any) -> None:
    if key.related:
        relation = SCHEMA[key.target].relation_by_name[key.related]
        assert (relation.kind, relation.fk, relation.many_to_many) == (kind, key.name, False)
    else:
        assert key.name == "metadata"


@pytest.mark.parametrize(("kind", "item"), COLLECTIONS, ids=[f"{kind}.{item.name}" for kind, item in COLLECTIONS])
def test_a_collection_names_what_hangs_its_members_in(kind: str, item: Any) -> None:
    if item.many_to_many:
        other = SCHEMA[item.kind].relation_by_name[item.fk]
        assert (other.kind, other.fk, other.many_to_many) == (kind, item.name, True)
    else:
        key = SCHEMA[item.kind].by_name[item.fk]
        assert (key.type, key.target, key.related) == (FieldType.REF, kind, item.name)


def test_only_channels_and_groups_are_many_to_many() -> None:
    assert {kind for kind, item in COLLECTIONS if item.many_to_many} == {"recordingchannel", "recordingchannelgroup"}


def test_parents_are_declared_before_their_children() -> None:
    order = list(SCHEMA)
    for kind, key in FOREIGN_KEYS:
        assert order.index(key.target) < order.index(kind) or key.target == kind


@pytest.mark.parametrize("kind", SCHEMA)
def test_roots_are_foreign_keys_and_lead_to_a_block_or_document(kind: str) -> None:
    spec = SCHEMA[kind]
    assert set(spec.roots) <= {item.name for item in spec.refs}
    seen = set()
    while spec.roots:
        assert spec.kind not in seen
        seen.add(spec.kind)
        spec = SCHEMA[spec.by_name[spec.roots[-1]].target or ""]
        if spec.kind in ("section", "recordingchannel"):
            break
    assert spec.kind in ("block", "document", "section", "recordingchannel")


@pytest.mark.parametrize("kind", SCHEMA)
def test_fields_stand_in_a_record_behind_its_meta_columns_without_a_gap(kind: str) -> None:
    spec = SCHEMA[kind]
    assert len(set(spec.write_columns)) == len(spec.write_columns)
    place = 0
    for item in spec.fields:
        assert MODELS[kind].__offsets__[item.name] == place
        place += len(item.read_columns)


@pytest.mark.parametrize("kind", SCHEMA)
def test_every_foreign_key_is_set_and_seen_from_the_other_side(kind: str) -> None:
    for key in SCHEMA[kind].refs:
        parent, child = MODELS[key.target or ""](), MODELS[kind]()
        setattr(child, key.name, parent)
        assert getattr(child, key.name) is parent
        if key.related:
            assert getattr(parent, key.related) == [child]
            setattr(parent, key.related, [])
            assert getattr(child, key.name) is None


def test_the_package_exports_the_models_and_loads_the_rest_later() -> None:
    script = "import gnode_orm; assert set(dir(gnode_orm)) == set(gnode_orm.__all__)"
    subprocess.run([sys.executable, "-c", script], check=True)
    assert set(TABLE) < set(gnode_orm.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Blok'"):
        gnode_orm.Blok  # noqa: B018
