"""The implementations of loads, one module for each kind.

`goldsmith.project.loads` declares them. A new kind is a module here and a line below.
"""

from typing import Any

from goldsmith.project.loads.append import Append
from goldsmith.project.loads.base import DeclaredLoad
from goldsmith.project.loads.merge import Merge
from goldsmith.project.loads.overwrite import Overwrite
from goldsmith.project.loads.overwrite_partitions import OverwritePartitions
from goldsmith.project.loads.scd2 import Scd2
from goldsmith.project.tables import Table
from goldsmith.run.loads.append import AppendStrategy
from goldsmith.run.loads.base import LoadStrategy
from goldsmith.run.loads.merge import MergeStrategy
from goldsmith.run.loads.overwrite import OverwriteStrategy
from goldsmith.run.loads.overwrite_partitions import OverwritePartitionsStrategy
from goldsmith.run.loads.scd2 import Scd2Strategy

_STRATEGIES: dict[type[DeclaredLoad], type[LoadStrategy[Any]]] = {
    Append: AppendStrategy,
    Merge: MergeStrategy,
    Scd2: Scd2Strategy,
    Overwrite: OverwriteStrategy,
    OverwritePartitions: OverwritePartitionsStrategy,
}


def load_of(table: Table) -> LoadStrategy[Any]:
    """The strategy of the table's load."""
    return _STRATEGIES[type(table.load)](table.load)
