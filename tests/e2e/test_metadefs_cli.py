"""The unmodified ``openstack`` command on metadata definitions: those that a start seeds, and every verb on ones of our own."""

import json
import shlex

import pytest

from images.services.metadefs import seeding
from tests.e2e.cloud import Cloud
from tests.e2e.shell import Shell, names

pytestmark = pytest.mark.real

META = "image metadef"
SPACE = "Our::Limits"
SCHEMA = shlex.quote(json.dumps({"enum": ["a", "b"], "description": "How", "maxLength": 9}))


def test_every_verb_of_the_command_works(cloud: Cloud):
    openstack, demo = Shell(cloud), Shell(cloud, "demo", "demo")
    try:
        seeded_by_the_first_start(openstack)
        namespaces(openstack, demo)
        properties(openstack)
        objects(openstack)
        resource_types(openstack)
        openstack(f"{META} namespace set {SPACE} --unprotected")
        openstack(f"{META} namespace delete {SPACE}")
        assert openstack.run(f"{META} namespace show {SPACE}")["code"] != 0
    finally:
        openstack.close()
        demo.close()


def seeded_by_the_first_start(openstack: Shell) -> None:
    shipped = {body["namespace"] for body in seeding.shipped()}
    assert names(openstack(f"{META} namespace list"), "namespace") == shipped
    meant_for_images = names(openstack(f"{META} namespace list --resource-types OS::Glance::Image"), "namespace")
    assert {"OS::OperatingSystem", "OS::Compute::Watchdog"} <= meant_for_images < shipped
    assert {"OS::Glance::Image", "OS::Nova::Flavor"} <= names(openstack(f"{META} resource type list"))
    assert openstack.run(f"{META} namespace delete OS::OperatingSystem")["code"] != 0


def namespaces(openstack: Shell, demo: Shell) -> None:
    made = openstack(f"{META} namespace create {SPACE} --display-name Limits --description First --private --protected")
    assert (made["namespace"], made["visibility"], made["protected"]) == (SPACE, "private", True)
    assert demo.run(f"{META} namespace show {SPACE}")["code"] != 0
    assert openstack.run(f"{META} namespace delete {SPACE}")["code"] != 0
    openstack(f"{META} namespace set {SPACE} --display-name Bounds --public --unprotected --tag red --tag blue")
    shown = demo(f"{META} namespace show {SPACE}")
    assert (shown["display_name"], shown["visibility"]) == ("Bounds", "public")
    assert {tag["name"] for tag in shown["tags"]} == {"red", "blue"}
    assert SPACE in names(demo(f"{META} namespace list --visibility public"), "namespace")
    assert demo.run(f"{META} namespace set {SPACE} --private")["code"] != 0
    openstack(f"{META} namespace unset {SPACE} --tag red")
    assert [tag["name"] for tag in openstack(f"{META} namespace show {SPACE}")["tags"]] == ["blue"]
    openstack(f"{META} namespace unset {SPACE} --all-tags")
    # Asked by another process: the client shows tags that it added itself where an answer has none.
    assert not demo(f"{META} namespace show {SPACE}").get("tags")


def properties(openstack: Shell) -> None:
    made = openstack(f"{META} property create --name mode --title Mode --type string --schema {SCHEMA} {SPACE}")
    assert (made["name"], made["enum"]) == ("mode", ["a", "b"])
    openstack(f"{META} property set {SPACE} mode --title Kind")
    shown = openstack(f"{META} property show {SPACE} mode")
    assert (shown["title"], shown["description"], shown["enum"]) == ("Kind", "How", ["a", "b"])
    assert names(openstack(f"{META} property list {SPACE}"), "name") == {"mode"}
    openstack(f"{META} property delete {SPACE} mode")
    openstack(f"{META} property create --name other --title Other --type string --schema {SCHEMA} {SPACE}")
    openstack(f"{META} property delete {SPACE}")
    assert openstack(f"{META} property list {SPACE}") == []


def objects(openstack: Shell) -> None:
    assert openstack(f"{META} object create --namespace {SPACE} Range")["name"] == "Range"
    openstack(f"{META} object update {SPACE} Range --name Span")
    assert openstack(f"{META} object show {SPACE} Span")["name"] == "Span"
    assert names(openstack(f"{META} object list {SPACE}"), "name") == {"Span"}
    shown = openstack(f"{META} object property show OS::Compute::Quota 'CPU limits' quota:cpu_shares")
    assert shown["title"] == "Shares"
    openstack(f"{META} object delete {SPACE} Span")
    openstack(f"{META} object create --namespace {SPACE} Other")
    openstack(f"{META} object delete {SPACE}")
    assert openstack(f"{META} object list {SPACE}") == []


def resource_types(openstack: Shell) -> None:
    association = f"{META} resource type association"
    made = openstack(f"{association} create {SPACE} OS::Nova::Server --properties-target metadata")
    assert (made["name"], made["properties_target"]) == ("OS::Nova::Server", "metadata")
    assert names(openstack(f"{association} list {SPACE}")) == {"OS::Nova::Server"}
    openstack(f"{META} namespace set {SPACE} --protected")
    assert openstack.run(f"{association} delete {SPACE} OS::Nova::Server")["code"] != 0
    openstack(f"{association} delete {SPACE} OS::Nova::Server --force")
    assert openstack(f"{association} list {SPACE}") == []
