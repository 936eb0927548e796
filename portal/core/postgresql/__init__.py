"""Django's backend for PostgreSQL, which gives up a session that can only read."""
