"""What each kind of load does, one module a kind.

What a load declares is in `goldsmith.project.loads`. A new kind is a module here and its line below.
"""

from typing import Any

from goldsmith.project.loads import Append, DeclaredLoad, Merge, Overwrite, OverwritePartitions
from goldsmith.project.tables import Table
from goldsmith.run.loads.append import AppendStrategy
from goldsmith.run.loads.base import LoadStrategy
from goldsmith.run.loads.merge import MergeStrategy
from goldsmith.run.loads.overwrite import OverwriteStrategy
from goldsmith.run.loads.overwrite_partitions import OverwritePartitionsStrategy

_STRATEGIES: dict[type[DeclaredLoad], type[LoadStrategy[Any]]] = {
    Append: AppendStrategy,
    Merge: MergeStrategy,
    Overwrite: OverwriteStrategy,
    OverwritePartitions: OverwritePartitionsStrategy,
}


def load_of(table: Table) -> LoadStrategy[Any]:
    """How the table's load does its work."""
    return _STRATEGIES[type(table.load)](table.load)
