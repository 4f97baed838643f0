"""Analyses SQL without Spark: syntax tree, columns, lineage, problems, and the text that a run executes.

`incremental` decides whether a query can be loaded from changes.
"""
