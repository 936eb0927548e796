"""The first images, with small files in the place of built ones."""

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Domain, Project
from images.builder import BuildError, ImageFile, Manifest
from images.management.commands import seed_images
from images.models import Image
from images.services import seeding
from images.services.seeding import SeedImage
from images.states import Visibility
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from tests.images.factories import noise, qcow2

pytestmark = pytest.mark.django_db

CTX = RequestContext.for_conductor("req-00000000-0000-4000-8000-000000000000")
FILES = {
    "tiny-kernel": ("aki", noise(3000)),
    "tiny-ramdisk": ("ari", noise(2000)),
    "tiny-machine": ("ami", b"\0" * 4096),
    "tiny": ("qcow2", qcow2()),
}


@pytest.fixture
def made(tmp_path):
    """What a build leaves, in small."""
    images = []
    for name, (disk_format, content) in FILES.items():
        (tmp_path / name).write_bytes(content)
        container = "bare" if disk_format == "qcow2" else disk_format
        images.append(ImageFile(name, name, disk_format, container, len(content), "", len(content), 96))
    made = Manifest("tiny", "x86_64", "6.1", "console=ttyS0", "tiny", tuple(images), ())
    made.write(tmp_path)
    return made


@pytest.fixture
def admin_project():
    domain, _made = Domain.objects.get_or_create(pk="default", defaults={"name": "Default"})
    return Project.objects.get_or_create(domain=domain, name="admin")[0]


def test_images_are_registered_once(made, tmp_path, admin_project, store):
    for _twice in range(2):
        out = StringIO()
        call_command("seed_images", output=tmp_path, stdout=out)
    assert "All images are registered already." in out.getvalue()
    rows = {row.name: row for row in Image.objects.all()}
    assert set(rows) == {"tiny-uec-kernel", "tiny-uec-ramdisk", "tiny-uec", "tiny"}
    assert {row.visibility for row in rows.values()} == {Visibility.PUBLIC}
    assert {row.owner for row in rows.values()} == {admin_project.pk}
    custom = rows["tiny-uec"].custom
    assert (custom["kernel_id"], custom["ramdisk_id"]) == (rows["tiny-uec-kernel"].pk, rows["tiny-uec-ramdisk"].pk)
    assert rows["tiny"].virtual_size == 10 << 20
    assert store.data[rows["tiny"].pk] == qcow2()


def test_a_new_build_hides_the_older_images(tmp_path):
    for content in (b"first", b"second"):
        (tmp_path / "disk").write_bytes(content)
        seeding.seed(ctx=CTX, owner="p" * 32, wanted=[SeedImage("disk", tmp_path / "disk", "raw", "bare", min_ram=64)])
    assert [row.size for row in Image.objects.filter(os_hidden=False)] == [6]
    assert Image.objects.count() == 2


def test_a_file_that_is_not_what_it_claims_leaves_nothing(tmp_path, store):
    (tmp_path / "disk").write_bytes(b"not a qcow2")
    with pytest.raises(BadRequest):
        seeding.seed(ctx=CTX, owner="p" * 32, wanted=[SeedImage("disk", tmp_path / "disk", "qcow2", "bare")])
    assert not Image.objects.present().exists()
    assert not store.data
    assert not store.parts


def test_without_a_mirror_a_sentence_says_what_to_do(tmp_path, monkeypatch):
    def no_mirror(*_args, **_options):
        raise BuildError("No package mirror answers.")

    monkeypatch.setattr(seed_images, "build", no_mirror)
    out = StringIO()
    call_command("seed_images", output=tmp_path, stdout=out)
    assert "openstack image create" in out.getvalue()
    assert not Image.objects.exists()
