"""Django's backend for MariaDB with the rules by which the other databases compare and write: see docs/adr/0007-equality.md."""
