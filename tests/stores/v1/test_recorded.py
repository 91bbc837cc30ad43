"""What the original server really answered is read: every object, list, error and data file that was recorded."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from gnode_orm.core.instants import from_microseconds, time_of
from gnode_orm.core.schema import SCHEMA
from gnode_orm.ids import encode_id
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.connection import Refused, _said
from gnode_orm.stores.rest.v1.fields import ServerFields
from gnode_orm.stores.rest.v1.records import read_record
from gnode_orm.stores.rest.v1.units import Units
from gnode_orm.wire import hdf5, json_text
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::gnode_orm.errors.LostUnitsWarning")
Exchange = dict[str, Any]


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """Every recorded exchange."""
    folder = Path(os.environ.get("GNODE_ORM_TEST_WIRE") or ROOT.parent / "shared" / "wire") / "transcripts"
    if not folder.is_dir():
        pytest.skip(f"no recorded exchanges at {folder}; GNODE_ORM_TEST_WIRE names another folder")
    return [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]


def objects(exchanges: list[Exchange]) -> Iterator[tuple[str, dict[str, Any]]]:
    for exchange in exchanges:
        answer = exchange["response"]
        # What was sent is shown again in the answers to changes, whether it is stored or not.
        if exchange["request"]["method"] != "GET" or answer["status"] >= 300:
            continue
        if not answer.get("body", "").startswith("{"):
            continue
        body = json_text.loads(answer["body"].encode())
        for item in [body, *body.get("selected", ())]:
            kind = str(item.get("resource_uri", "////")).split("/")[4]
            if kind in SCHEMA:
                yield kind, item


def test_every_object_is_a_record(exchanges):
    seen = set()
    for kind, item in objects(exchanges):
        record = read_record(kind, item, Units("recorded"))
        assert len(record) == len(SCHEMA[kind].record_columns)
        assert str(Location.of_number(kind, record[0])) == item["location"]
        assert f"{record[1]:032x}" == item["guid"]
        assert item["owner"].endswith(f"/{record[3]}/")
        seen.add(kind)
    assert seen == set(SCHEMA)


def test_revision_ids_of_the_original_hold_the_time_of_the_change(exchanges):
    for kind, item in objects(exchanges):
        record = read_record(kind, item, Units("recorded"))
        changed = time_of(record[1])
        assert changed is not None
        assert changed >= from_microseconds(record[2])


def test_schemas_tell_what_an_object_cannot_be_without(exchanges):
    described = {
        exchange["request"]["path"]: json.loads(exchange["response"]["body"])
        for exchange in exchanges
        if exchange["request"]["path"].endswith("/schema/") and exchange["response"]["status"] == 200
    }

    class Recorded:
        address = "recorded"

        def read(self, path: str) -> Any:
            return described[path]

    fields = ServerFields(Recorded())  # type: ignore[arg-type]
    assert fields.needs("segment", "block")
    assert fields.needs("analogsignal", "sampling_rate")
    assert fields.needs("recordingchannel", "recordingchannelgroup")
    assert not fields.needs("spike", "sampling_rate")
    assert not fields.needs("spiketrain", "unit")
    assert fields.has("block", "metadata")
    assert not fields.has("event", "metadata")
    assert not fields.has("block", "annotations")


def test_every_failure_is_told_in_words(exchanges):
    failed = [exchange["response"] for exchange in exchanges if exchange["response"]["status"] >= 400]
    assert len(failed) > 200
    for recorded in failed:
        answer = urllib3.HTTPResponse(io.BytesIO((recorded.get("body") or "").encode()), status=recorded["status"])
        refusal = Refused(answer.status, *_said(answer))
        assert refusal.text
        assert "<" not in refusal.text[:1]
        assert len(str(refusal.error("x"))) < 400


def test_every_data_file_that_is_one_is_read(exchanges):
    read = 0
    for exchange in exchanges:
        answer = exchange["response"]
        data = base64.b64decode(answer.get("body_b64", ""))
        if exchange["request"]["method"] != "GET" or not data.startswith(hdf5.SIGNATURE):
            continue
        with hdf5.opened(io.BytesIO(data)) as root:
            source = hdf5.first_dataset(root, len(data))
            assert source.read(...).shape == source.shape
            read += 1
    assert read > 15


def test_ids_are_numbers_both_ways(exchanges):
    for kind, item in objects(exchanges):
        assert encode_id(read_record(kind, item, Units("recorded"))[0]) == item["id"]
