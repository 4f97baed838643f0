"""Rows of the platform's own tables."""

from __future__ import annotations

import pytest

from goldsmith.project import ops


def test_rows_come_in_the_order_of_the_columns_with_null_for_what_they_lack() -> None:
    (row,) = ops.FILES.ordered([{"size": 7, "table": "bronze.orders"}])
    assert len(row) == len(ops.FILES.columns)
    assert row[:4] == ("bronze.orders", None, None, 7)


def test_a_name_that_the_table_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError, match=r"ops\.files has no column tabel"):
        ops.FILES.ordered([{"tabel": "bronze.orders"}])
