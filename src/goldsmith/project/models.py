"""Models of the YAML files; the JSON Schemas for editors are generated from them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from goldsmith.project.connections import ConnectionSpec
from goldsmith.project.expectations import DeclaredExpectation
from goldsmith.project.freshness import FreshWithin
from goldsmith.project.loads import Load, tagged
from goldsmith.project.quarantine_limit import DeclaredLimit
from goldsmith.project.scheduling import CronText, Duration, Schedule
from goldsmith.project.sources import Source
from goldsmith.project.strict_model import Names, Strict
from goldsmith.project.system_columns import SYSTEM_COLUMNS
from goldsmith.project.text_formats import TextFormat

Layer = Literal["bronze", "silver", "gold"]
LAYERS: tuple[Layer, ...] = ("bronze", "silver", "gold")
Severity = Literal["warning", "error", "fatal"]

CHANGE_FEED = ("_change_type", "_commit_version", "_commit_timestamp")
"""Columns that Delta's change feed adds. A table with a column of one of these names cannot have a change feed."""

RESERVED = frozenset(
    {
        *SYSTEM_COLUMNS,
        "_malformed",
        "_header",
        "_metadata",
        *CHANGE_FEED,
    }
)
"""Names that columns of files cannot have: reserved by Goldsmith or by Delta's change feed."""

NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class Column(Strict):
    """A column: its Spark SQL type (by default the query's) and its description."""

    type: str | None = Field(None, description="A Spark SQL type: int, decimal(9,2), array<string>, ...")
    description: str = ""
    format: str | None = Field(
        None, description="Bronze: the pattern of a date or time in delivered text: dd/MM/yyyy."
    )
    decimal: Literal[".", ","] | None = Field(None, description="Bronze: the decimal mark. Default: a point.")
    thousands: Literal[".", ",", " ", "'", "_"] | None = Field(
        None, description="Bronze: the mark between thousands. Default: none is allowed."
    )
    timezone: str | None = Field(None, description="Bronze: the time zone of local times: Europe/Berlin.")
    nulls: Names = Field((), description="Bronze: texts that mean NULL: [NA, '-'].")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value

    @property
    def text(self) -> TextFormat | None:
        """How delivered text is read; None if values are written as in Spark SQL."""
        given = TextFormat(self.format, self.decimal, self.thousands, self.timezone, self.nulls)
        return None if given == TextFormat() else given


class Metric(Strict):
    """A certified aggregate over a table's rows that dashboards share."""

    expression: str = Field(description="An aggregate in Spark SQL: SUM(delayed) / SUM(flights).")
    label: str = Field("", description="The name that charts show. By default it is derived from the key.")
    description: str = ""
    format: str = Field(
        "",
        description="The number format, in D3's notation: `,d`, `.1%`, `,.1f`. By default it depends on the size.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"expression": value} if isinstance(value, str) else value

    def label_for(self, name: str) -> str:
        """The name that charts show. name: the metric's key."""
        return self.label or name.replace("_", " ").capitalize()


class TableSpec(Strict):
    """The declaration of a table. See docs/declarations.md for every key."""

    description: str = ""
    owner: str | None = None
    tags: Names = ()
    source: Source | None = Field(None, description="Where a bronze table's rows come from.")
    columns: dict[str, Column] = Field(default_factory=dict, description="Columns: types and descriptions.")
    load: Annotated[Load, BeforeValidator(tagged)] | None = Field(
        None,
        description="How rows enter the table. Default: append for bronze, overwrite for other tables.",
    )
    changes_of: Names = Field((), description="The upstream tables whose changes drive an incremental load.")
    lookups: dict[str, Literal["as_loaded"]] = Field(
        default_factory=dict, description="Upstreams whose changes do not rebuild this table."
    )
    reads: Names = Field((), description="The upstream tables of a Python table.")
    on_new_column: Literal["add", "ignore", "fail"] = "add"
    on_missing_column: Literal["fail", "fill"] = Field(
        "fail",
        description="What to do if a delivered file lacks a declared column: stop, or fill it with NULL.",
    )
    on_widened_type: Literal["fail", "widen"] = Field(
        "fail",
        description="What to do if files bring a wider type for a column without a declared type, such as bigint for "
        "int: stop, or widen the table's column.",
    )
    on_changed_type: Literal["fail", "quarantine"] = Field(
        "fail",
        description="What to do if files bring another type for a column without a declared type, such as string for "
        "int: stop, or keep the table's type and quarantine the rows whose values it does not have.",
    )
    on_removed: Literal["fail", "ignore"] = Field(
        "fail",
        description="What to do if the upstream of an append lost rows: stop, or keep the appended rows.",
    )
    incremental: Literal["required"] | None = Field(
        None, description="`required`: refuse declarations and loads that read more than changes need."
    )
    on_definition_change: Literal["rebuild", "fail"] = "rebuild"
    expectations: tuple[DeclaredExpectation, ...] = ()
    max_quarantined: DeclaredLimit | None = Field(
        None,
        description="How many rows of a load may be quarantined: 5%, or a number. By default the project's limit.",
    )
    fresh_within: FreshWithin | None = Field(
        None, description="How old the table may become, since its last load or by a column's newest value."
    )
    gate: Severity | Literal["none"] | None = Field(
        None,
        description="DQOps' checks run after each load. A result of this severity or above stops downstream tables.",
    )
    metrics: dict[str, Metric] = Field(
        default_factory=dict, description="Metrics of a gold table that dashboards show."
    )
    cluster_by: Names = Field(
        (), description="Up to four columns to cluster the table's files by.", max_length=4
    )
    properties: dict[str, str] = Field(default_factory=dict, description="Delta table properties.")


class PipelineSpec(Strict):
    """The declaration of a pipeline, a folder of tables with one schedule: `pipeline.yaml`."""

    description: str = ""
    owner: str | None = None
    tags: Names = ()
    schedule: Schedule | None = Field(
        None,
        description="A cron expression, or a mapping with `cron` and `after`. Without it the pipeline runs by hand.",
    )
    start_date: date | None = Field(None, description="The first day of the first data interval.")
    catchup: bool = Field(False, description="Also run the intervals between the start date and now.")
    tasks: Literal["table", "layer", "pipeline"] = Field(
        "table", description="What one task loads. Fewer tasks start Spark less often."
    )
    max_active_runs: int = Field(1, ge=1, le=16, description="How many runs may be active at once.")
    retries: int = Field(
        2, ge=0, le=10, description="How often a task is retried after an error that is retryable."
    )
    timeout: Duration | None = Field(None, description="How long a task may take: 45m, 2h.")
    deadline: Duration | None = Field(None, description="How long a run may take before alerts are sent.")
    pool: str = Field(
        "spark", description="The pool whose slots the tasks use, one of the project's `pools`."
    )
    priority: int = Field(1, ge=1, le=1000, description="Tasks of a greater priority get slots first.")
    alerts: Names = Field(
        (), description="Airflow connections that alerts about failed tasks and missed deadlines are sent to."
    )
    gates: dict[Layer, Severity] = Field(
        default_factory=dict, description="The default `gate` of a layer's tables."
    )


class SparkSpec(Strict):
    """The settings of a profile's Spark session."""

    master: str = "local[*]"
    conf_dir: str | None = Field(
        None, description="A folder with Spark's and Hadoop's settings: core-site.xml, hive-site.xml."
    )
    memory: str = Field("2g", description="The driver's heap.")
    light: bool = Field(
        True, description="Compile less: starts and short loads are faster, loads of many minutes slower."
    )
    wait_for_cores: Duration = Field(
        timedelta(minutes=10),
        description="How long a job waits for a standalone master's first executor: 90s, 10m.",
    )
    conf: dict[str, str | int | float | bool] = Field(default_factory=dict)


class ProfileSpec(Strict):
    """Where Spark, landing files and tables are. Relative paths start at the project; `${NAME}` and `${NAME:-default}`
    are replaced by environment variables."""

    landing: str = ".goldsmith/landing"
    warehouse: str = ".goldsmith/warehouse"
    catalog: Literal["memory", "hive"] = Field(
        "memory",
        description="Where tables are registered by name: in the session alone, or in a Hive Metastore.",
    )
    parallel: int = Field(4, ge=1, le=64, description="How many tables load in parallel.")
    connections: dict[str, ConnectionSpec] = Field(
        default_factory=dict, description="Databases that bronze tables read, by name."
    )
    spark: SparkSpec = Field(default_factory=SparkSpec)

    @property
    def on_s3(self) -> bool:
        return any(place.startswith("s3a://") for place in (self.landing, self.warehouse))


class DqopsSpec(Strict):
    """When DQOps runs its checks by itself, by layer: cron expressions in UTC. Tables with a gate are
    checked by the gate only."""

    bronze: CronText = "0 8 * * *"
    silver: CronText = "20 8 * * *"
    gold: CronText = "40 8 * * *"


class RetentionSpec(Strict):
    """How long `goldsmith table maintain` keeps rows that no table needs."""

    quarantine: Duration | None = Field(None, description="Quarantined rows: 90d. Default: for ever.")
    ops: Duration | None = Field(
        None,
        description="Rows of ops.table_runs, ops.expectations and ops.dqops_results: 400d. Default: for ever.",
    )


class ProjectSpec(Strict):
    """`goldsmith.yaml`, at the root of a project."""

    name: str = "lakehouse"
    pipelines: str = Field("pipelines", description="The folder that holds the pipelines.")
    profile: str = Field("local", description="The default profile.")
    profiles: dict[str, ProfileSpec] = Field(default_factory=lambda: {"local": ProfileSpec()})
    max_quarantined: DeclaredLimit | None = Field(
        None, description="How many rows of a load may be quarantined, for tables without their own limit."
    )
    retention: RetentionSpec = Field(
        default_factory=RetentionSpec, description="How long maintenance keeps quarantined rows and records."
    )
    dqops: DqopsSpec = Field(default_factory=DqopsSpec, description="When DQOps checks each layer.")
    pools: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=lambda: {"spark": 2},
        description="Slots by pool: how many of its tasks run Spark at once.",
    )
    maintenance: CronText | None = Field(
        "0 3 * * 0", description="When maintenance of tables and of Airflow's records runs; null means never."
    )
