"""Django's backend for SQLite, which translates each statement once."""
