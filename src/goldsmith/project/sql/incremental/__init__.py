"""Decides whether a query's new rows can be computed from changed rows alone.

`linear`: from the changed rows of one upstream. `recomputable`: from all upstream rows that share a changed value.
"""
