"""An installation that is killed at each of its steps and begun again ends as one that was not."""

import hashlib
import json
import re
import shutil
import sqlite3
import tempfile
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from compute.services.seed import FLAVORS
from deploy.launcher import state
from deploy.launcher.config import APPS, CHECKOUT
from images.builder import ImageFile, Manifest
from tests.deploy.stage import Stage
from tests.images.factories import noise, qcow2
from tests.kit import killing

pytestmark = pytest.mark.real

FORMS = {
    "secret-key": r"[\w-]{64}",
    "queue-key": r"[\w-]{64}",
    "admin-password": r"[a-zA-Z2-9]{16}",
    "demo-password": r"[a-zA-Z2-9]{16}",
    **{f"{keep}/{number}": r"[\w-]{43}=" for keep in ("fernet", "credential") for number in (0, 1)},
}


@pytest.fixture
def config(config):
    """An installation in memory, where nobody waits for a disk."""
    with tempfile.TemporaryDirectory(prefix="nebulet-", dir="/dev/shm") as folder:
        yield replace(config, state_dir=Path(folder) / "state")


def test_secrets_are_whole_or_missing_wherever_it_is_killed(config, owner):
    def lay_out(_killer: object = None) -> None:
        state.lay_out(config, owner)
        state.ensure_secrets(config, owner)

    lay_out()
    whole = killing.contents(config.state_dir)
    died = 0
    shutil.rmtree(config.state_dir)
    for at in killing.deaths(lay_out):
        died += 1
        there = {name: config.secrets / name for name in FORMS if (config.secrets / name).exists()}
        for name, path in there.items():
            assert re.fullmatch(FORMS[name], path.read_text()), f"{name} is half written, killed before change {at}"
        before = {name: path.read_text() for name, path in there.items()}

        lay_out()

        assert killing.contents(config.state_dir) == whole, f"killed before change {at}"
        assert {name: (config.secrets / name).read_text() for name in before} == before
        shutil.rmtree(config.state_dir)
    assert died > 50


def test_a_file_that_is_replaced_is_the_old_one_or_the_new_one(config, owner):
    state.lay_out(config, owner)
    state.ensure_secrets(config, owner)
    whole = killing.contents(config.state_dir)
    chosen = replace(config, admin_password="chosen")
    original = state.read_secret(config, "admin-password")
    for _at in killing.deaths(lambda _killer: state.ensure_secrets(chosen, owner)):
        assert state.read_secret(config, "admin-password") in (original, "chosen")
        state.ensure_secrets(chosen, owner)
        assert state.read_secret(config, "admin-password") == "chosen"
        assert killing.contents(config.state_dir) == whole
        state.write_private(config.secrets / "admin-password", original, owner)


@pytest.fixture
def stage(config, owner):
    stage = Stage(replace(config, checkout=CHECKOUT), owner)
    yield stage
    stage.close()


# Step, its stamp, and how much later it is killed each time.
STEPS = (("migrate", "migrate", 2), ("collect_static", "static", 6), ("seed", "seed", 2.5), ("seed_images", "images", 1))
FILES = {
    "tiny-kernel": ("aki", noise(3000)),
    "tiny-ramdisk": ("ari", noise(2000)),
    "tiny-machine": ("ami", b"\0" * 4096),
    "tiny": ("qcow2", qcow2()),
}


def rows(config, model, *columns):
    """Return what a table of the installation has, some of its columns."""
    with closing(sqlite3.connect(config.state_dir / "db" / "nebulet.sqlite3")) as database:
        return sorted(database.execute(f"SELECT {', '.join(columns)} FROM {model}").fetchall())


def build(config):
    """Put small files in the place of what a build makes; return their folder."""
    output = config.state_dir / "cache" / "images-build"
    output.mkdir()
    images = []
    for name, (disk_format, content) in FILES.items():
        (output / name).write_bytes(content)
        container = "bare" if disk_format == "qcow2" else disk_format
        images.append(ImageFile(name, name, disk_format, container, len(content), "", len(content), 96))
    Manifest("tiny", "x86_64", "6.1", "console=ttyS0", "tiny", tuple(images), ()).write(output)
    return output


def migrations():
    """Return the names of all migrations of our own, as the database has them."""
    labels = {"portal/core": "core", "compute/network": "network"}
    for file in sorted(CHECKOUT.glob("*/migrations/0*.py")) + sorted(CHECKOUT.glob("*/*/migrations/0*.py")):
        app = str(file.parents[1].relative_to(CHECKOUT))
        if app.split("/", maxsplit=1)[0] in APPS:
            yield labels.get(app, app), file.stem


def test_what_fills_an_installation_is_killed_anywhere_and_begins_again(stage):
    """Each step is killed later each time and goes on with what the death before left, so that nothing of any death is made good apart."""
    config = stage.config
    output = build(config)

    for step, stamp, growth in STEPS:
        deaths = [(config.state_dir / "stamps" / stamp).exists() for _at in stage.deaths(step, growth)]
        assert deaths == [False] * len(deaths)
        assert len(deaths) > 4
        assert stage.ends(step, 1), f"{step} has its stamp, so nothing is changed any more"

    applied = rows(config, "django_migrations", "app", "name")
    assert len(applied) == len(set(applied))
    assert set(migrations()) <= set(applied)
    assert rows(config, "accounts_user", "name") == [("admin",), ("demo",)]
    assert rows(config, "accounts_project", "name") == [("admin",), ("demo",)]
    assert rows(config, "accounts_assignment", "count(*)") == [(4,)]
    assert rows(config, "accounts_endpoint", "count(*)", "count(DISTINCT url)") == [(12, 4)]
    assert rows(config, "compute_flavor", "flavor_id") == sorted((flavor[0],) for flavor in FLAVORS)
    assert rows(config, "network_network", "name") == [("private",)]
    assert rows(config, "network_subnet", "name") == [("private-subnet",)]
    shipped = {json.loads(file.read_text())["namespace"] for file in (CHECKOUT / "images" / "definitions").glob("*.json")}
    assert rows(config, "images_metadefnamespace", "namespace") == sorted((name,) for name in shipped)
    tagged = "images_imagetag JOIN images_image ON image_id = images_image.id WHERE status != 'deleted'"
    assert rows(config, tagged, "count(*)") == [(0,)]

    images = registered_images(config, output)
    assert_nothing_is_left(config, images)


def registered_images(config, output):
    """Return the ids of the images, each of which is there once with all of its bytes."""
    images = rows(config, "images_image WHERE status != 'deleted'", "name", "status", "os_hidden", "os_hash_value", "id")
    files = {name: hashlib.sha512((output / name).read_bytes()).hexdigest() for name in FILES}
    registered = {
        "tiny": "tiny",
        "tiny-uec": "tiny-machine",
        "tiny-uec-kernel": "tiny-kernel",
        "tiny-uec-ramdisk": "tiny-ramdisk",
    }
    assert [image[:4] for image in images] == [(name, "active", 0, files[file]) for name, file in registered.items()]
    for *_, digest, image_id in images:
        path = config.state_dir / "images" / str(uuid.UUID(image_id))
        assert hashlib.sha512(path.read_bytes()).hexdigest() == digest
    return [image[-1] for image in images]


def assert_nothing_is_left(config, image_ids):
    """Nothing is in the state folder but what belongs there, and it is whole."""
    folder = config.state_dir / "static"
    served = json.loads((folder / "staticfiles.json").read_text())["paths"]
    assert len(served) > 100
    assert not [name for name in served.values() if not (folder / name).stat().st_size]
    there = {name for name in killing.contents(config.state_dir) if not name.startswith(("static/", ".cache", "secrets/"))}
    folders = {
        "cache",
        "db",
        "images",
        "instances",
        "log",
        "log/services",
        "queue",
        "run",
        "secrets",
        "staging",
        "stamps",
        "static",
    }
    made = {f"cache/images-build/{name}" for name in ("manifest.json", *FILES)} | {f"stamps/{stamp}" for _, stamp, _ in STEPS}
    kept = {f"images/{uuid.UUID(image_id)}" for image_id in image_ids}
    assert there == folders | made | kept | {"cache/images-build", "db/nebulet.sqlite3"}
    assert {path.name for path in config.secrets.rglob("*") if path.is_file()} == {Path(name).name for name in FORMS}
