"""Spark, Delta Lake and object stores: sessions, logs, delivered files, commits, quarantine tables.

This package knows types, columns and profiles, but no tables of a project; `run` combines its parts. `delta` has the
tables, `ingest` the delivered files, `launch` the start of Spark. Modules beside them are used by all three.
"""
