"""The kinds of loads: the keys that each declares, and what it requires of the table's query.

`goldsmith.run.loads` implements them. A new kind is a module in both packages, and a line in both registries.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from goldsmith.project.loads.append import Append
from goldsmith.project.loads.base import DeclaredLoad
from goldsmith.project.loads.merge import Merge
from goldsmith.project.loads.overwrite import Overwrite
from goldsmith.project.loads.overwrite_partitions import OverwritePartitions
from goldsmith.project.loads.scd2 import Scd2

Load = Annotated[Append | Merge | Scd2 | Overwrite | OverwritePartitions, Field(discriminator="kind")]

LOADS: tuple[type[DeclaredLoad], ...] = (Append, Merge, Scd2, Overwrite, OverwritePartitions)
"""Every kind of load."""

KINDS: tuple[str, ...] = tuple(str(load.model_fields["kind"].default) for load in LOADS)
"""Their names in YAML."""


def tagged(value: object) -> object:
    """Converts YAML's `append` and `{merge: {...}}` to the tagged form of the union. Raises ValueError."""
    if isinstance(value, str):
        return {"kind": value}
    if isinstance(value, dict) and len(value) == 1:
        kind, arguments = next(iter(value.items()))
        if isinstance(arguments, dict):
            return {"kind": kind, **arguments}
        if arguments is None:
            return {"kind": kind}
        raise ValueError(f"`{kind}` takes a mapping, as in `load: {{merge: {{key: [id]}}}}`")
    if isinstance(value, dict) and "kind" not in value and value:
        raise ValueError(f"a table has one load, not {len(value)}: {', '.join(map(str, value))}")
    return value
