"""The overwrite load: the table is replaced only if its content changed."""

from __future__ import annotations

from support.lake import Lake
from support.properties import Upstream


def test_unchanged_content_causes_no_commit_downstream(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, p string")
    source.append([{"id": 1, "p": "a"}, {"id": 2, "p": "a"}])
    lake.declare("silver.kinds", "load: overwrite", "SELECT DISTINCT p FROM bronze.src")
    lake.declare("gold.copy", "load: overwrite", "SELECT p FROM silver.kinds")
    lake.done("silver", "gold")
    source.append([{"id": 3, "p": "a"}])
    done = lake.done("silver", "gold")
    counts = done["silver.kinds"].counts
    assert (counts.rows_in, counts.written, counts.superseded) == (1, 0, 1)
    assert done["gold.copy"].status == "nothing_new"
    source.sql("OPTIMIZE {t}")
    versions = {name: lake.version(name) for name in ("silver.kinds", "gold.copy")}
    assert {outcome.status for outcome in lake.done("silver", "gold").values()} == {"nothing_new"}
    assert {name: lake.version(name) for name in versions} == versions
    source.append([{"id": 3, "p": None}])
    lake.done("silver", "gold")
    assert lake.rows("gold.copy") == [(None,), ("a",)]
