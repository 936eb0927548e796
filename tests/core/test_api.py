"""The API kit: JSON, shapes, microversions, faults."""

import pytest
from rest_framework import serializers

from portal.core.api import codec, faults
from portal.core.api.serializers import NameField, StrictSerializer, StrictString
from portal.core.api.views import as_cloud_error, sentence
from portal.core.errors import BadRequest, Conflict, NotFound
from portal.core.versions import Version


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b"{'a': 1}"])
def test_malformed_json_is_a_bad_request(raw):
    with pytest.raises(BadRequest):
        codec.loads(raw)


@pytest.mark.parametrize("text", ["2", "2.x", "2.01", "-2.1", "2.1.1", "", "٢.١", "2.1\n"])
def test_a_version_that_is_not_one_is_a_bad_request(text):
    with pytest.raises(BadRequest):
        Version.parse(text)


def test_versions_compare_as_numbers():
    assert Version.parse("2.9") < Version.parse("2.10")


class Shape(StrictSerializer):
    name = NameField()
    note = StrictString(required=False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": 3},
        {"name": " a"},
        {"name": "a\nb"},
        {"name": "a" * 256},
        {"name": "a", "other": 1},
        {"name": "a", "note": "\x00"},
        [],
        3,
    ],
)
def test_strict_shapes_refuse(body):
    with pytest.raises(serializers.ValidationError) as refused:
        Shape(data=body).is_valid(raise_exception=True)
    error = as_cloud_error(refused.value)
    assert error is not None
    assert error.status == 400
    assert error.message


def test_a_complaint_names_the_field():
    assert (
        sentence({"server": {"name": ["It is too long."]}}) == "Invalid input for field/attribute server/name. It is too long."
    )


def test_each_service_has_its_own_fault():
    error = NotFound("Instance", "x")
    assert faults.render("compute", error) == {"itemNotFound": {"code": 404, "message": "Instance x could not be found."}}
    assert faults.render("identity", error)["error"]["code"] == 404
    assert faults.render("image", Conflict("no"))["code"] == "409 Conflict"
    assert faults.render("network", NotFound("Network", "x"))["NeutronError"]["type"] == "NetworkNotFound"


def test_documents_list_each_call_once(client):
    paths = client.get("/api/schema/?format=json").json()["paths"]
    assert {"/compute/v2.1/servers", "/network/v2.0/ports", "/image/v2/images", "/identity/v3/projects"} <= paths.keys()
    assert not [path for path in paths if path.startswith("/compute/v2/") or "{in_project}" in path]
