"""A Delta table: its log and commit metadata, change feeds, commits, the quarantine beside it, maintenance, the catalog.

Delivered files are in `engine.ingest`. What a load is, and when it runs, is in `run`.
"""
