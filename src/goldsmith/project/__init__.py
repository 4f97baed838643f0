"""Declarations: YAML, SQL and Python files as immutable models, and all checks that need no Spark.

`reading` and `loading` read a project, `sql` analyses its queries, `checks` compares files with each other.
"""
