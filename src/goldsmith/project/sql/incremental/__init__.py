"""Whether new rows of a query can be computed from changed rows alone.

`linear`: from the changed rows of one upstream. `recomputable`: from all upstream rows that have a changed value in common.
"""
