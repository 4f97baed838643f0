"""Checks metrics and dashboards against the tables that they read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.dashboards import COLUMNS_OF_A_ROW, KINDS, SHAPED, Chart, Dashboard, Filter
from goldsmith.project.hints import after_colon, hint_for
from goldsmith.project.models import NAME
from goldsmith.project.pipelines import Project
from goldsmith.project.relations import SCHEMAS, Relation, relations
from goldsmith.project.sql.expression import check_expression, check_metric
from goldsmith.project.tables import Table

Problems = Iterator[DeclarationError]
_HEATMAP_DIMENSIONS = 2


def check_dashboards(
    project: Project, dashboards: Iterable[Dashboard], *, broken: frozenset[str] = frozenset()
) -> list[DeclarationError]:
    """Mistakes in the metrics of all tables and in these dashboards.

    broken: tables whose files could not be read; their columns and metrics are not checked.
    """
    known = relations(project)
    found = [problem for table in project.tables.values() for problem in _metrics(table)]
    for dashboard in dashboards:
        found.extend(_DashboardCheck(project, known, broken, dashboard).problems())
    return found


def _metrics(table: Table) -> Problems:
    if table.spec.metrics and table.layer != "gold":
        yield DeclarationError(
            "GS110",
            f"`{table.name}` is not a gold table, and dashboards show the metrics of gold tables only.",
            where=table.where("metrics"),
            hint="Declare them on a gold table that reads this one.",
        )
    columns = table.columns
    lowered = {name.lower() for name in columns or ()}
    for name, metric in table.spec.metrics.items():
        where = table.where("metrics", name)
        if not NAME.match(name):
            hint = "Use lower-case letters, digits and _, beginning with a letter."
            yield DeclarationError(
                "GS109", f"`{name}` is not a valid name of a metric.", where=where, hint=hint
            )
        if name.lower() in lowered:
            yield DeclarationError(
                "GS105",
                f"`{table.name}` has a column `{name}`: a metric cannot have the same name.",
                where=where,
                hint=f"Rename it, as in `total_{name}`. Charts show its `label`.",
            )
        at = table.where("metrics", name, "expression")
        for problem in check_metric(metric.expression, columns):
            message = f"In the metric `{name}`: {after_colon(problem.message)}"
            yield DeclarationError(problem.code, message, where=at, hint=problem.hint)


class _DashboardCheck:
    """Checks one dashboard."""

    def __init__(
        self, project: Project, known: dict[str, Relation], broken: frozenset[str], dashboard: Dashboard
    ) -> None:
        self.project, self.known, self.broken, self.dashboard = project, known, broken, dashboard

    def problems(self) -> Problems:
        titles: set[str] = set()
        for path, chart in self.dashboard.charts:
            if chart.title in titles:
                where = self.dashboard.where(*path, "title")
                message = f"Two charts have the title `{chart.title}`."
                yield DeclarationError("GS105", message, where=where, hint="Give one another title.")
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
        """The table, None if its file could not be read, or the mistake in its name."""
        if name in self.known or name in self.broken:
            return self.known.get(name)
        where = self.dashboard.where(*path)
        if name in self.project.tables:
            message = f"Dashboards can only read {' and '.join(SCHEMAS)}, and `{name}` is in neither."
            return DeclarationError("GS110", message, where=where, hint="Create a gold table that reads it.")
        hint = hint_for(name, self.known)
        return DeclarationError("GS108", f"There is no table `{name}`.", where=where, hint=hint)

    def _shape(self, path: tuple[str | int, ...], chart: Chart) -> Problems:
        """Keys that the chart's kind requires or does not have."""
        shape = KINDS[chart.kind]
        least, most = shape.metrics
        rows = chart.kind == "table" and bool(chart.columns)
        if rows and (chart.metrics or chart.dimensions):
            message = "A table shows either rows (`columns`) or metrics."
            yield DeclarationError(
                "GS110", message, where=self.dashboard.where(*path, "columns"), hint="Keep one of them."
            )
        elif not rows and len(chart.metrics) < max(least, 1):
            message = f"The key `metrics` is missing: a {chart.kind} shows at least one."
            yield DeclarationError(
                "GS104",
                message,
                where=self.dashboard.where(*path),
                hint="Write for example `metrics: flights`.",
            )
        elif most is not None and len(chart.metrics) > most:
            message = f"A {chart.kind} shows {'one metric' if most == 1 else f'at most {most} metrics'}."
            where = self.dashboard.where(*path, "metrics")
            yield DeclarationError("GS110", message, where=where, hint="Show the others in another chart.")
        for key in shape.needs:
            if not getattr(chart, key):
                message = f"The key `{key}` is missing: a {chart.kind} needs it."
                yield DeclarationError("GS104", message, where=self.dashboard.where(*path))
        for key in SHAPED:
            if key in chart.model_fields_set and key not in (*shape.needs, *shape.takes):
                message = f"A {chart.kind} has no `{key}`."
                where = self.dashboard.where(*path, key)
                yield DeclarationError("GS110", message, where=where, hint="Remove it.")
        if chart.grain and not chart.time:
            where = self.dashboard.where(*path, "grain")
            yield DeclarationError(
                "GS110", "`grain` needs a `time`.", where=where, hint="Write for example `time: day`."
            )
        if chart.kind == "bar" and not (chart.grain or chart.dimensions):
            message = "A bar chart needs `dimensions`, or a `time` with a `grain`."
            hint = "Add the columns or the time that its bars stand for."
            yield DeclarationError("GS104", message, where=self.dashboard.where(*path), hint=hint)
        if chart.kind == "heatmap" and len(chart.dimensions) != _HEATMAP_DIMENSIONS:
            message = f"A heatmap has two dimensions, horizontal and vertical, not {len(chart.dimensions)}."
            yield DeclarationError("GS110", message, where=self.dashboard.where(*path, "dimensions"))

    def _chart(self, path: tuple[str | int, ...], chart: Chart, relation: Relation) -> Problems:
        """Metrics and columns that the table does not have."""
        for index, name in enumerate(chart.metrics):
            if name not in relation.metrics:
                message = f"`{relation.name}` has no metric `{name}`."
                hint = hint_for(name, relation.metrics)
                if not relation.metrics:
                    hint = "Declare it in the table's file, for example `metrics: {flights: SUM(flights)}`."
                where = self.dashboard.where(*path, "metrics", index)
                yield DeclarationError("GS108", message, where=where, hint=hint)
        for key in ("dimensions", "columns", "time", "latitude", "longitude"):
            named = getattr(chart, key)
            for index, name in enumerate((named,) if isinstance(named, str) else named or ()):
                yield from self._column(relation, name, (*path, key, index))
        if chart.time and relation.is_temporal(chart.time) is False:
            message = f"`{chart.time}` of `{relation.name}` is neither a date nor a timestamp."
            times = [name for name in relation.columns or {} if relation.is_temporal(name)]
            where = self.dashboard.where(*path, "time")
            yield DeclarationError("GS110", message, where=where, hint=hint_for(chart.time, times))
        if chart.sort:
            name = chart.sort.removeprefix("-")
            shown = (*chart.metrics, *chart.dimensions, *chart.columns)
            # Bars of one dimension may be sorted by any metric of the table.
            is_plain = chart.kind == "bar" and chart.grain is None and len(chart.dimensions) == 1
            shown += tuple(relation.metrics) if is_plain else ()
            if name not in shown:
                message = f"`sort` names `{name}`, which this chart does not show."
                where = self.dashboard.where(*path, "sort")
                yield DeclarationError("GS108", message, where=where, hint=hint_for(name, shown))
        if chart.filter is not None:
            where = self.dashboard.where(*path, "filter")
            for problem in check_expression(chart.filter, relation.columns):
                # A filter may depend on the current time: a dashboard is evaluated when it is viewed.
                if problem.code != "GS205":
                    message = f"In `filter`: {after_colon(problem.message)}"
                    yield DeclarationError(problem.code, message, where=where, hint=problem.hint)

    def _column(self, relation: Relation, name: str, path: tuple[str | int, ...]) -> Problems:
        if relation.columns is not None and name not in relation.columns:
            message = f"`{relation.name}` has no column `{name}`."
            where = self.dashboard.where(*path)
            yield DeclarationError("GS203", message, where=where, hint=hint_for(name, relation.columns))

    def _row(self, index: int, widths: list[int | None]) -> Problems:
        given = [width for width in widths if width is not None]
        if sum(given) + len(widths) - len(given) > COLUMNS_OF_A_ROW:
            message = f"The charts of this row take {sum(given)} columns, and a row has {COLUMNS_OF_A_ROW}."
            hint = "Reduce their `width`, or start another row."
            yield DeclarationError("GS110", message, where=self.dashboard.where("rows", index), hint=hint)

    def _filter(self, path: tuple[str | int, ...], control: Filter) -> Problems:
        if control.kind == "time":
            if control.column is not None:
                where = self.dashboard.where(*path, "column")
                message = "A filter of `kind: time` applies to the `time` of each chart and takes no column."
                yield DeclarationError("GS110", message, where=where, hint="Remove `column`.")
            return
        if control.column is None:
            hint = "Write for example `column: gold.daily_punctuality.origin`."
            message = "The key `column` is missing: a filter of `kind: values` needs it."
            yield DeclarationError("GS104", message, where=self.dashboard.where(*path), hint=hint)
            return
        table, _, column = control.column.rpartition(".")
        relation = self._relation(table, (*path, "column"))
        if isinstance(relation, DeclarationError):
            yield relation
        elif relation is not None:
            yield from self._column(relation, column, (*path, "column"))
