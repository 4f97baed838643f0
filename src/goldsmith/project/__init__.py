"""What a person declares: YAML, SQL and Python files as immutable models, and every check that needs no Spark.

`reading` and `loading` read a project, `sql` analyses its queries, `checks` holds files against each other.
"""
