"""Looks through a data directory at rest for damage. Changes nothing."""
