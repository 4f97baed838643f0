"""A table's SQL without Spark: syntax tree, names, columns, lineage, problems, and the text that a run executes.

Whether a load may be incremental is in `incremental`.
"""
