"""``manage.py migrate``: Django's, for databases that may be of another version and for processes that may be killed."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState


class Command(migrate.Command):
    """Refuses a database of a newer version before anything is changed."""

    def handle(self, *args: Any, **options: Any) -> None:
        newer = unknown(connections[options["database"]])
        if newer:
            raise CommandError(
                f"The database is of a newer version of Nebulet, which wrote {newer[-1]} and others that are not known here. "
                "Install that version, or restore the backup that was made before its update."
            )
        super().handle(*args, **options)


class WholeExecutor(MigrationExecutor):
    """Applies a migration and notes that in one transaction.

    Django notes a migration with deferred statements after it is committed: a process killed between the two leaves tables that the
    next one cannot make again. Where a database takes no tables back (MariaDB) that stays so.
    """

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        """Return the state after the migration."""
        if not (migration.atomic and self.connection.features.can_rollback_ddl):
            return super().apply_migration(state, migration, fake, fake_initial)
        # SQLite heeds this only outside of a transaction, and its tables are made anew without foreign keys being followed.
        with self.connection.constraint_checks_disabled(), transaction.atomic(using=self.connection.alias):
            return super().apply_migration(state, migration, fake, fake_initial)


migrate.MigrationExecutor = WholeExecutor  # type: ignore[misc, attr-defined]  # the command asks for no other way


def unknown(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the migrations that a database has and this code does not, of apps that are there."""
    loader = MigrationLoader(connection)
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    strange = set(loader.applied_migrations) - set(loader.disk_migrations) - replaced
    return sorted(f"{app}.{name}" for app, name in strange if app in loader.migrated_apps)
