"""A database of a newer version than the code: refused before anything is started or changed."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from deploy.launcher import database, preparation, state
from deploy.launcher.config import CHECKOUT
from deploy.launcher.errors import LauncherError
from deploy.launcher.terminal import Terminal
from tests.kit import killing


@pytest.fixture
def installation(config, owner):
    """An installation of this code, whose database has an application's migration that is known and one of somebody else."""
    state.lay_out(config, owner)
    with closing(sqlite3.connect(database.path(config))) as rows:
        rows.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT)")
        rows.execute("INSERT INTO django_migrations (app, name) VALUES ('network', '0001_initial'), ('other', '0001_initial')")
        rows.commit()
    return replace(config, checkout=CHECKOUT)


def test_up_ends_before_anything_is_changed(installation):
    database.check_version(installation)
    with closing(sqlite3.connect(database.path(installation))) as rows:
        rows.execute("INSERT INTO django_migrations (app, name) VALUES ('network', '9999_of_tomorrow')")
        rows.commit()
    before = killing.contents(installation.state_dir), database.path(installation).read_bytes()

    with pytest.raises(LauncherError, match=r"newer version of Nebulet, which wrote network\.9999_of_tomorrow") as caught:
        preparation.prepare(installation, Terminal(), install=True)

    assert "restore the backup" in caught.value.sentence
    assert (killing.contents(installation.state_dir), database.path(installation).read_bytes()) == before


@pytest.mark.django_db
def test_any_database_is_refused_by_migrate():
    recorder = MigrationRecorder(connection)
    call_command("migrate", verbosity=0)
    recorder.record_applied("compute", "9999_of_tomorrow")
    before = recorder.applied_migrations().keys()

    with pytest.raises(
        CommandError, match=r"newer version of Nebulet, which wrote compute\.9999_of_tomorrow .* restore the backup"
    ):
        call_command("migrate", verbosity=0)

    assert recorder.applied_migrations().keys() == before


@pytest.mark.django_db
def test_migrations_of_an_application_that_is_gone_are_no_newer_version():
    MigrationRecorder(connection).record_applied("an_app_of_old", "0001_initial")

    call_command("migrate", verbosity=0)
