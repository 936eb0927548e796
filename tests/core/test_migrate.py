"""Our own `migrate`: what a killed process leaves of a migration."""

import pytest
from django.core.management.commands import migrate
from django.db import connection, models
from django.db.migrations import CreateModel, Migration
from django.db.migrations.state import ProjectState

import portal.core.management.commands.migrate  # noqa: F401

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not connection.features.can_rollback_ddl, reason="this database takes no table back"),
]


class Killed(BaseException):
    """Stands for a death after the last statement of a migration, when that it was applied is about to be noted."""


def test_a_migration_that_is_not_noted_left_nothing():
    migration = Migration("9999_probe", "core")
    fields = [("id", models.AutoField(primary_key=True)), ("name", models.CharField(max_length=9, db_index=True))]
    migration.operations = [CreateModel("Probe", fields)]
    executor = migrate.MigrationExecutor(connection)
    before = set(connection.introspection.table_names())

    def die(*_args):
        assert set(connection.introspection.table_names()) - before == {"core_probe"}
        raise Killed

    executor.recorder.record_applied = die
    with pytest.raises(Killed):
        executor.apply_migration(ProjectState(), migration)

    assert set(connection.introspection.table_names()) == before
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,), "foreign keys are followed again"
