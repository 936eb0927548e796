"""Metadata definitions: every write, one file for each kind of thing."""
