"""Metadata definitions over the API: one file for each resource."""
