"""Superset assets generated from the declarations, as files and in a running Superset."""
