"""Spark, Delta Lake and object stores, by themselves: sessions, logs, delivered files, commits, the quarantine.

Nothing here knows what a project declares beyond a type, a column or a profile; `run` puts the parts together.
`delta` holds the tables, `ingest` the delivered files, `launch` the start of Spark; what all three need is beside them.
"""
