"""Expectations: their kinds, the SQL they compile to, and the evaluation of rows.

`run` acts on failing rows; `engine.delta.quarantine` stores quarantined ones.
"""
