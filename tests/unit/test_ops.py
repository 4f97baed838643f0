"""Rows of the platform's own tables."""

from __future__ import annotations

import pytest

from goldsmith.project import ops


def test_rows_follow_the_column_order_with_null_for_missing_values() -> None:
    (row,) = ops.FILES.ordered([{"size": 7, "table": "bronze.orders"}])
    assert len(row) == len(ops.FILES.columns)
    assert row[:4] == ("bronze.orders", None, None, 7)


def test_unknown_column_is_refused() -> None:
    with pytest.raises(KeyError, match=r"ops\.files has no column tabel"):
        ops.FILES.ordered([{"tabel": "bronze.orders"}])
