"""The handles that users hold: streams, tables, and what lies between them, one noun a file."""
