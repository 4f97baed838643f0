"""Superset from the declarations: its assets as files, and the same files in a running server."""
