"""The unmodified ``openstack`` command and openstacksdk on the registry of images: made, changed, shared, listed, saved and deleted."""

import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import openstack as sdk
import pytest

from tests.e2e.cloud import Cloud
from tests.e2e.shell import Shell, names

pytestmark = pytest.mark.real

BYTES = b"picture" * 1000
FEW = "--disk-format raw --container-format bare"


@pytest.fixture(scope="module")
def openstack(cloud: Cloud) -> Iterator[Shell]:
    shell = Shell(cloud)
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def demo(cloud: Cloud) -> Iterator[Shell]:
    shell = Shell(cloud, "demo", "demo")
    yield shell
    shell.close()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "picture.raw"
    path.write_bytes(BYTES)
    return path


def test_create_show_save_and_delete(openstack: Shell, file, tmp_path):
    made = openstack(
        f"image create whole --file {file} {FEW} --min-disk 1 --min-ram 64 --protected --tag red --property os_distro=debian"
    )
    assert (made["status"], made["size"], made["protected"]) == ("active", len(BYTES), True)
    shown = openstack("image show whole")
    assert shown["checksum"] == hashlib.md5(BYTES, usedforsecurity=False).hexdigest()
    assert (shown["properties"]["os_distro"], shown["tags"], shown["min_disk"]) == ("debian", ["red"], 1)
    openstack(f"image save whole --file {tmp_path / 'copy.raw'}")
    assert (tmp_path / "copy.raw").read_bytes() == BYTES
    assert openstack.run("image delete whole")["code"] != 0
    openstack("image set whole --unprotected")
    openstack("image delete whole")
    assert openstack.run("image show whole")["code"] != 0


def test_create_with_an_id_and_an_owner(openstack: Shell):
    wanted = str(uuid.uuid4())
    made = openstack(f"image create given --id {wanted} {FEW} --project demo --community")
    assert (made["id"], made["visibility"]) == (wanted, "community")
    assert made["owner"] == openstack("project show demo")["id"]
    openstack(f"image set {wanted} --project admin")
    assert openstack("image show given")["owner"] == openstack("project show admin")["id"]
    openstack("image delete given")


def test_set_and_unset(openstack: Shell, file):
    kernel, ramdisk = str(uuid.uuid4()), str(uuid.uuid4())
    openstack(f"image create plain --file {file} {FEW}")
    openstack(
        f"image set plain --name fancy --min-ram 128 --min-disk 2 --property a=1 --property b=2 --tag red --tag blue --os-distro fedora "
        f"--os-version 40 --architecture x86_64 --kernel-id {kernel} --ramdisk-id {ramdisk} --instance-uuid {kernel} --hidden"
    )
    shown = openstack("image show fancy")
    properties = shown["properties"]
    assert (properties["a"], properties["os_distro"], properties["os_version"]) == ("1", "fedora", "40")
    assert (properties["kernel_id"], properties["ramdisk_id"], properties["architecture"]) == (kernel, ramdisk, "x86_64")
    assert (shown["min_ram"], shown["min_disk"], shown["tags"], properties["os_hidden"]) == (128, 2, ["blue", "red"], True)
    openstack("image unset fancy --property a --tag red")
    openstack("image set fancy --unhidden --public")
    shown = openstack("image show fancy")
    assert "a" not in shown["properties"]
    assert (shown["tags"], shown["visibility"]) == (["blue"], "public")
    openstack("image set fancy --deactivate")
    assert openstack("image show fancy")["status"] == "deactivated"
    openstack("image set fancy --activate")
    assert openstack.run("image set fancy --kernel-id ../../etc/passwd")["code"] != 0
    assert openstack.run("image set fancy --disk-format floppy")["code"] != 0
    openstack("image delete fancy")


def test_list_with_every_filter(openstack: Shell):
    openstack(f"image create one {FEW} --public --tag red --tag big --property colour=blue")
    openstack(f"image create two {FEW} --private --tag red")
    openstack(f"image create three {FEW} --community")
    openstack(f"image create four {FEW}")
    openstack("image set four --hidden")
    assert {"one", "two"} <= names(openstack("image list"))
    for words, expected in (
        ("--public --tag red", {"one"}),
        ("--private", {"two"}),
        ("--community", {"three"}),
        ("--hidden", {"four"}),
        ("--tag red --tag big", {"one"}),
        ("--property colour=blue", {"one"}),
        ("--property colour=red", set()),
        ("--name two", {"two"}),
        ("--status queued --tag red", {"one", "two"}),
        ("--shared --status queued", set()),
        ("--project admin --tag red", {"one", "two"}),
        ("--member-status all --tag big", {"one"}),
    ):
        assert names(openstack(f"image list {words}")) == expected, words
    in_order = openstack("image list --tag red --sort name:desc --long")
    assert [(row["Name"], row["Visibility"]) for row in in_order] == [("two", "private"), ("one", "public")]
    newest = openstack("image list --tag red --limit 1")[0]
    assert newest["Name"] == "two"
    assert [row["Name"] for row in openstack(f"image list --tag red --marker {newest['ID']}")] == ["one"]
    assert names(openstack("image list --all --page-size 1 --tag red")) == {"one", "two"}
    for name in ("one", "two", "three"):
        openstack(f"image delete {name}")
    openstack(f"image delete {openstack('image list --hidden')[0]['ID']}")


def test_sharing(openstack: Shell, demo: Shell, file):
    made = openstack(f"image create ours --file {file} {FEW} --shared")
    theirs = openstack("project show demo")["id"]
    assert demo.run(f"image show {made['id']}")["code"] != 0
    added = json.loads(openstack("image add project ours demo -f json"))
    assert (added["member_id"], added["status"]) == (theirs, "pending")
    assert openstack("image member list ours")[0]["Member ID"] == theirs
    assert json.loads(openstack(f"image member get ours {theirs} -f json"))["status"] == "pending"
    assert "ours" not in names(demo("image list"))
    assert names(demo("image list --shared --member-status pending")) == {"ours"}
    demo(f"image set {made['id']} --accept")
    assert "ours" in names(demo("image list"))
    assert demo.run(f"image set {made['id']} --name theirs")["code"] != 0
    demo(f"image set {made['id']} --reject")
    assert "ours" not in names(demo("image list"))
    demo(f"image set {made['id']} --pending")
    openstack("image remove project ours demo")
    assert openstack("image member list ours") == []
    assert demo.run(f"image show {made['id']}")["code"] != 0
    openstack("image delete ours")


def test_stores(openstack: Shell):
    assert "file" in names(openstack("image stores list"), "ID")


def test_the_proxy_of_the_sdk(cloud: Cloud, tmp_path):
    connection: Any = sdk.connect(
        auth_url=f"{cloud.url}/identity/v3",
        username="demo",
        password=cloud.password("demo"),
        project_name="demo",
        user_domain_name="Default",
        project_domain_name="Default",
        region_name="RegionOne",
    )
    with connection:
        images = connection.image
        made = images.create_image(
            "sdk", data=BYTES, disk_format="raw", container_format="bare", tags=["red"], validate_checksum=True
        )
        assert images.find_image("sdk").status == "active"
        assert [row.id for row in images.images(tag="red", size_min=1, sort="name:asc", limit=1)] == [made.id]
        images.update_image(made, name="changed", os_distro="debian", min_ram=5)
        assert (images.get_image(made).name, images.get_image(made).os_distro) == ("changed", "debian")
        images.add_tag(made, "blue")
        images.remove_tag(made, "red")
        assert images.get_image(made).tags == ["blue"]
        images.deactivate_image(made)
        images.reactivate_image(made)
        images.update_image_properties(made, colour="green")
        assert images.get_image(made).properties["colour"] == "green"
        member = images.add_member(made, member_id="f" * 32)
        assert images.get_member(member, made).status == "pending"
        assert [row.member_id for row in images.members(made)] == ["f" * 32]
        images.remove_member(member, made)
        for schema in (
            images.get_images_schema(),
            images.get_image_schema(),
            images.get_members_schema(),
            images.get_member_schema(),
        ):
            assert schema.properties
        images.download_image(made, output=str(tmp_path / "copy"))
        assert (tmp_path / "copy").read_bytes() == BYTES
        images.delete_image(made)
        assert images.find_image("changed") is None
