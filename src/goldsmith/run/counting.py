"""Counts a slice's judged rows, and what their load has to know of them before it writes."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql.types import StructType

from goldsmith.engine.columns import row_hash
from goldsmith.engine.delta.merging import Ranges, prunable
from goldsmith.engine.literals import range_of
from goldsmith.project.loads import Load, Merge, Overwrite
from goldsmith.project.sql.text import quoted
from goldsmith.quality.judge import KEPT, Counts, Judged, Verdict, evaluate


@dataclass(frozen=True)
class Known:
    """What was counted of the kept rows before they are written.

    keys: how many keys they have, and ranges: of these; for merge. content: for overwrite, the rows as one
    short text, whatever their order: equal for equal multisets of rows.
    """

    rows: int
    keys: int = 0
    ranges: Ranges = ()
    content: str | None = None


def known_of(judged: Judged, load: Load, kept: StructType) -> tuple[Known, Counts, tuple[Verdict, ...]]:
    """Counts and verdicts of judged rows, and what their load has to know of those that it keeps."""
    wanted: dict[str, str] = {}
    ranged = prunable(kept, load) if isinstance(load, Merge) else []
    for name in ranged:
        wanted[f"range {name}"] = range_of(quoted(name), kept[name].dataType, KEPT)
    if isinstance(load, Overwrite):
        for seed in (1, 2):
            wanted[f"hash {seed}"] = f"sum(CAST({row_hash(kept, seed=seed)} AS decimal(38,0))) {KEPT}"
    evaluated = evaluate(judged, wanted, keys=load.key if isinstance(load, Merge) else ())
    counts, also = evaluated.counts, evaluated.also
    ranges = tuple((name, found) for name in ranged if (found := also[f"range {name}"]) is not None)
    content = None
    if isinstance(load, Overwrite):
        content = f"{counts.kept}:{also['hash 1']}:{also['hash 2']}:{kept.simpleString()}"
    return Known(counts.kept, evaluated.keys, ranges, content), counts, evaluated.verdicts
