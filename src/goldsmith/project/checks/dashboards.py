"""Checks of metrics and dashboards: every name they use is held against the tables they read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.dashboards import COLUMNS_OF_A_ROW, KINDS, SHAPED, Chart, Dashboard, Filter
from goldsmith.project.models import NAME
from goldsmith.project.relations import SCHEMAS, Relation, relations
from goldsmith.project.sql.expression import check_expression, check_metric
from goldsmith.project.suggest import hint_for
from goldsmith.project.tables import Project, Table

Problems = Iterator[DeclarationError]
_ACROSS_AND_DOWN = 2


def check_dashboards(
    project: Project, dashboards: Iterable[Dashboard], *, broken: frozenset[str] = frozenset()
) -> list[DeclarationError]:
    """The mistakes in every table's metrics and in these dashboards.

    broken: tables whose files could not be read; nothing is said about their columns and metrics.
    """
    known = relations(project)
    found = [problem for table in project.tables.values() for problem in _metrics(table)]
    for dashboard in dashboards:
        found.extend(_Check(project, known, broken, dashboard).problems())
    return found


def _metrics(table: Table) -> Problems:
    if table.spec.metrics and table.layer != "gold":
        yield DeclarationError(
            "GS110",
            f"Dashboards read gold, and `{table.name}` is not of it: its metrics would never be shown.",
            where=table.where("metrics"),
            hint="Declare them on a gold table that reads this one.",
        )
    columns = table.columns
    lowered = {name.lower() for name in columns or ()}
    for name, metric in table.spec.metrics.items():
        where = table.where("metrics", name)
        if not NAME.match(name):
            hint = "Names are lower-case letters, digits and _, and begin with a letter."
            yield DeclarationError("GS109", f"`{name}` cannot be a metric's name.", where=where, hint=hint)
        if name.lower() in lowered:
            yield DeclarationError(
                "GS105",
                f"`{table.name}` has a column `{name}`, so no metric can be called so.",
                where=where,
                hint=f"As in `total_{name}`; charts show its `label`.",
            )
        at = table.where("metrics", name, "expression")
        for problem in check_metric(metric.expression, columns):
            told = f"In the metric `{name}`: {_begun(problem.message)}"
            yield DeclarationError(problem.code, told, where=at, hint=problem.hint)


class _Check:
    """The check of one dashboard."""

    def __init__(
        self, project: Project, known: dict[str, Relation], broken: frozenset[str], dashboard: Dashboard
    ) -> None:
        self.project, self.known, self.broken, self.dashboard = project, known, broken, dashboard

    def problems(self) -> Problems:
        titles: set[str] = set()
        for path, chart in self.dashboard.charts:
            if chart.title in titles:
                where = self.dashboard.where(*path, "title")
                told = f"Two charts are called `{chart.title}`."
                yield DeclarationError("GS105", told, where=where, hint="Give one another title.")
            titles.add(chart.title)
            yield from self._shape(path, chart)
            relation = self._relation(chart.table, (*path, "table"))
            if isinstance(relation, DeclarationError):
                yield relation
            elif relation is not None:
                yield from self._chart(path, chart, relation)
        for index, row in enumerate(self.dashboard.spec.rows):
            yield from self._row(index, [chart.width for chart in row.charts])
        for index, control in enumerate(self.dashboard.spec.filters):
            yield from self._filter(("filters", index), control)

    def _relation(self, name: str, path: tuple[str | int, ...]) -> Relation | DeclarationError | None:
        """The table, None where it is broken elsewhere, or what is wrong with its name."""
        if name in self.known or name in self.broken:
            return self.known.get(name)
        where = self.dashboard.where(*path)
        if name in self.project.tables:
            told = f"Dashboards read {' and '.join(SCHEMAS)}, and `{name}` is neither."
            return DeclarationError(
                "GS110", told, where=where, hint="Make a gold table of what is to be shown."
            )
        hint = hint_for(name, self.known)
        return DeclarationError("GS108", f"There is no table `{name}`.", where=where, hint=hint)

    def _shape(self, path: tuple[str | int, ...], chart: Chart) -> Problems:
        """Keys that the chart's kind lacks or has no use for."""
        shape = KINDS[chart.kind]
        least, most = shape.metrics
        rows = chart.kind == "table" and bool(chart.columns)
        if rows and (chart.metrics or chart.dimensions):
            told = "A table shows either rows (`columns`) or metrics."
            yield DeclarationError(
                "GS110", told, where=self.dashboard.where(*path, "columns"), hint="Keep one of them."
            )
        elif not rows and len(chart.metrics) < max(least, 1):
            told = f"The key `metrics` is missing: a {chart.kind} shows at least one."
            yield DeclarationError(
                "GS104", told, where=self.dashboard.where(*path), hint="As in `metrics: flights`."
            )
        elif most is not None and len(chart.metrics) > most:
            told = f"A {chart.kind} shows {'one metric' if most == 1 else f'at most {most} metrics'}."
            where = self.dashboard.where(*path, "metrics")
            yield DeclarationError("GS110", told, where=where, hint="Make another chart of the others.")
        for key in shape.needs:
            if not getattr(chart, key):
                told = f"The key `{key}` is missing: a {chart.kind} needs it."
                yield DeclarationError("GS104", told, where=self.dashboard.where(*path))
        for key in SHAPED:
            if key in chart.model_fields_set and key not in (*shape.needs, *shape.takes):
                told = f"A {chart.kind} has no `{key}`."
                where = self.dashboard.where(*path, key)
                yield DeclarationError("GS110", told, where=where, hint="Remove it.")
        if chart.grain and not chart.time:
            where = self.dashboard.where(*path, "grain")
            yield DeclarationError("GS110", "`grain` needs a `time`.", where=where, hint="As in `time: day`.")
        if chart.kind == "bar" and not (chart.grain or chart.dimensions):
            told = "Bars stand for a column's values, or for spans of time."
            hint = "Name a column in `dimensions`, or a `time` and its `grain`."
            yield DeclarationError("GS104", told, where=self.dashboard.where(*path), hint=hint)
        if chart.kind == "heatmap" and len(chart.dimensions) != _ACROSS_AND_DOWN:
            told = f"A heatmap has two dimensions, across and down, and not {len(chart.dimensions)}."
            yield DeclarationError("GS110", told, where=self.dashboard.where(*path, "dimensions"))

    def _chart(self, path: tuple[str | int, ...], chart: Chart, relation: Relation) -> Problems:
        """Names of metrics and columns that the table does not have."""
        for index, name in enumerate(chart.metrics):
            if name not in relation.metrics:
                told = f"`{relation.name}` declares no metric `{name}`."
                hint = hint_for(name, relation.metrics)
                if not relation.metrics:
                    hint = "Declare it in the table's file, as in `metrics: {flights: SUM(flights)}`."
                where = self.dashboard.where(*path, "metrics", index)
                yield DeclarationError("GS108", told, where=where, hint=hint)
        for key in ("dimensions", "columns", "time", "latitude", "longitude"):
            named = getattr(chart, key)
            for index, name in enumerate((named,) if isinstance(named, str) else named or ()):
                yield from self._column(relation, name, (*path, key, index))
        if chart.time and relation.is_temporal(chart.time) is False:
            told = f"`{chart.time}` of `{relation.name}` holds neither dates nor times."
            times = [name for name in relation.columns or {} if relation.is_temporal(name)]
            where = self.dashboard.where(*path, "time")
            yield DeclarationError("GS110", told, where=where, hint=hint_for(chart.time, times))
        if chart.sort:
            name = chart.sort.removeprefix("-")
            shown = (*chart.metrics, *chart.dimensions, *chart.columns)
            # Bars of one column may be sorted by any metric, as bands are by the order of their values.
            is_plain = chart.kind == "bar" and chart.grain is None and len(chart.dimensions) == 1
            shown += tuple(relation.metrics) if is_plain else ()
            if name not in shown:
                told = f"`sort` names `{name}`, which this chart does not show."
                where = self.dashboard.where(*path, "sort")
                yield DeclarationError("GS108", told, where=where, hint=hint_for(name, shown))
        if chart.filter is not None:
            where = self.dashboard.where(*path, "filter")
            for problem in check_expression(chart.filter, relation.columns):
                # What changes from run to run may well be shown: a dashboard is looked at now.
                if problem.code != "GS205":
                    told = f"In `filter`: {_begun(problem.message)}"
                    yield DeclarationError(problem.code, told, where=where, hint=problem.hint)

    def _column(self, relation: Relation, name: str, path: tuple[str | int, ...]) -> Problems:
        if relation.columns is not None and name not in relation.columns:
            told = f"`{relation.name}` has no column `{name}`."
            where = self.dashboard.where(*path)
            yield DeclarationError("GS203", told, where=where, hint=hint_for(name, relation.columns))

    def _row(self, index: int, widths: list[int | None]) -> Problems:
        given = [width for width in widths if width is not None]
        if sum(given) + len(widths) - len(given) > COLUMNS_OF_A_ROW:
            told = f"The charts of this row are {sum(given)} wide, and a row has {COLUMNS_OF_A_ROW} columns."
            hint = "Make some narrower, or begin another row."
            yield DeclarationError("GS110", told, where=self.dashboard.where("rows", index), hint=hint)

    def _filter(self, path: tuple[str | int, ...], control: Filter) -> Problems:
        if control.kind == "time":
            if control.column is not None:
                where = self.dashboard.where(*path, "column")
                told = "A filter of `kind: time` goes by each chart's own `time`."
                yield DeclarationError("GS110", told, where=where, hint="Take `column` away.")
            return
        if control.column is None:
            hint = "As in `column: gold.daily_punctuality.origin`."
            told = "The key `column` is missing: a filter of values needs one."
            yield DeclarationError("GS104", told, where=self.dashboard.where(*path), hint=hint)
            return
        table, _, column = control.column.rpartition(".")
        relation = self._relation(table, (*path, "column"))
        if isinstance(relation, DeclarationError):
            yield relation
        elif relation is not None:
            yield from self._column(relation, column, (*path, "column"))


def _begun(message: str) -> str:
    """A message that follows a colon, as one sentence."""
    return message[0].lower() + message[1:] + ("" if message.endswith(".") else ".")
