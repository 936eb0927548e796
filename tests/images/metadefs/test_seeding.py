"""The definitions of a fresh cloud: whole, written once, renewed only while no operator changed them."""

import copy

import pytest
from jsonschema import Draft202012Validator

from images.models import MetadefNamespace, MetadefProperty, MetadefResourceType, MetadefTag
from images.services.metadefs import schemas, seeding
from portal.core.context import RequestContext
from tests.images.metadefs.factories import NamespaceFactory

pytestmark = pytest.mark.django_db

CTX = RequestContext.for_conductor("req-00000000-0000-4000-8000-000000000000")
OWNER = "a" * 32
FIRST = {
    "namespace": "Seeded",
    "display_name": "Seeded",
    "visibility": "public",
    "protected": True,
    "resource_type_associations": [{"name": "OS::Glance::Image", "prefix": "hw_"}],
    "properties": {"low": {"title": "Low", "type": "integer"}},
    "tags": [{"name": "red"}],
}


def changed(**fields):
    return copy.deepcopy(FIRST) | fields


def run(*wanted):
    return seeding.seed(ctx=CTX, owner=OWNER, wanted=wanted)


def test_what_is_shipped_is_written_once():
    shipped = seeding.shipped()
    assert run(*shipped) == [body["namespace"] for body in shipped]
    assert run(*shipped) == []
    assert MetadefNamespace.objects.filter(visibility="public", protected=True, owner=OWNER).count() == len(shipped)
    names = set(MetadefResourceType.objects.values_list("name", flat=True))
    assert names == {"OS::Glance::Image", "OS::Nova::Flavor", "OS::Nova::Aggregate"}


def test_what_is_shipped_names_what_operators_expect():
    keys = set()
    for body in seeding.shipped():
        prefixes = [item.get("prefix", "") for item in body["resource_type_associations"] if "Image" in item["name"]]
        keys |= {prefix + name for prefix in prefixes for name in body.get("properties", {})}
    assert keys >= {
        "hw_cpu_policy",
        "hw_watchdog_action",
        "hw_video_model",
        "hw_rng_model",
        "hw_machine_type",
        "hw_firmware_type",
        "hw_mem_page_size",
        "hw_disk_bus",
        "hw_vif_model",
        "os_distro",
        "os_version",
        "os_type",
        "os_admin_user",
        "os_command_line",
        "architecture",
        "img_hv_type",
        "kernel_id",
        "trait:HW_CPU_X86_AVX2",
    }


def test_every_shipped_key_is_described():
    for body in seeding.shipped():
        Draft202012Validator(schemas.NAMESPACE).validate(body)
        keys = dict(body.get("properties", {}))
        for each in body.get("objects", []):
            keys |= each["properties"]
        assert keys, body["namespace"]
        for name, schema in keys.items():
            assert schema["title"], name
            assert schema["description"].endswith("."), name
            assert schema.get("default") in [None, *schema.get("enum", [schema.get("default")])], name


def test_a_newer_file_is_written_while_nobody_changed_the_rows():
    assert run(FIRST) == ["Seeded"]
    assert run(changed(properties={"high": {"title": "High", "type": "integer"}}, tags=[])) == ["Seeded"]
    assert list(MetadefProperty.objects.values_list("name", flat=True)) == ["high"]
    assert not MetadefTag.objects.exists()


@pytest.mark.parametrize(
    "by_operator",
    [
        lambda space: MetadefNamespace.objects.filter(pk=space.pk).update(visibility="private"),
        lambda space: space.properties.update(schema={"title": "Ours", "type": "integer"}),
        lambda space: space.associations.update(prefix="x_"),
        lambda space: space.tags.all().delete(),
        lambda space: space.object_definitions.create(name="ours"),
    ],
    ids=["fields", "properties", "resource types", "tags", "objects"],
)
def test_what_an_operator_changed_stays(by_operator):
    run(FIRST)
    space = MetadefNamespace.objects.get()
    by_operator(space)
    before = seeding._written(space)
    assert run(changed(description="newer")) == []
    assert seeding._written(space) == before


def test_what_an_operator_deleted_stays_away():
    run(FIRST)
    MetadefNamespace.objects.all().delete()
    assert run(FIRST) == run(changed(description="newer")) == []
    assert not MetadefNamespace.objects.exists()


def test_a_namespace_that_an_operator_made_is_his():
    NamespaceFactory(namespace="Seeded", description="ours")
    assert run(FIRST) == []
    assert MetadefNamespace.objects.get().description == "ours"
