"""PostgreSQL, where another server may take over: a session that cannot write is given up like one that is dead."""

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

    def is_usable(self) -> bool:
        """Whether the server answers and takes writes.

        Django asks before a request and after an error. One that was the primary may answer on, as a standby of the new one: a new
        connection finds that (``target_session_attrs`` in ``portal.settings.databases``), and this one would only fail each write.
        """
        if self.connection is None:
            return False
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("SHOW transaction_read_only")
                return bool(cursor.fetchone() == ("off",))
        except psycopg.Error:
            return False
