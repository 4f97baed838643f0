"""Delta tables: log, commit metadata, change feeds, commits, quarantine, maintenance, catalog.

`engine.ingest` reads delivered files; `run` has the loads.
"""
