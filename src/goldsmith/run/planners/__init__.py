"""Planners: from logs and the landing area, without Spark, what a load has to do.

`files` plans delivered files, `upstreams` other tables, `pulling` sources that are asked for rows, `extracts` those that
are asked by interval. `goldsmith.run.sources` reads the rows.
"""

from goldsmith.project.sources import ExtractSource, FilesSource
from goldsmith.project.tables import Table
from goldsmith.run.planners.base import Planner
from goldsmith.run.planners.extracts import ExtractPlanner
from goldsmith.run.planners.files import FilesPlanner
from goldsmith.run.planners.pulling import PullingPlanner
from goldsmith.run.planners.upstreams import UpstreamsPlanner

_PLANNERS: dict[type, Planner] = {
    FilesSource: FilesPlanner(),
    ExtractSource: ExtractPlanner(),
    type(None): UpstreamsPlanner(),
}
_ASKED = PullingPlanner()


def planner_of(table: Table) -> Planner:
    """The planner of a table's source. Every other kind of source is asked for its rows."""
    return _PLANNERS.get(type(table.spec.source), _ASKED)
