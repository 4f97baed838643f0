"""What a person writes in YAML, as immutable models; the JSON Schema for editors comes from them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from goldsmith.project.expectations import DeclaredExpectation
from goldsmith.project.freshness import FreshWithin
from goldsmith.project.loads import Load, tagged
from goldsmith.project.scheduling import CronText, Duration, Schedule
from goldsmith.project.sources import SYSTEM_COLUMNS, Source
from goldsmith.project.strict import Names, Strict

Layer = Literal["bronze", "silver", "gold"]
LAYERS: tuple[Layer, ...] = ("bronze", "silver", "gold")
Severity = Literal["warning", "error", "fatal"]

CHANGE_FEED = ("_change_type", "_commit_version", "_commit_timestamp")
"""What Delta's change feed has beside a table's columns: a table with one of them has no feed."""

RESERVED = frozenset(
    {
        *SYSTEM_COLUMNS,
        "_malformed",
        "_header",
        "_metadata",
        *CHANGE_FEED,
    }
)
"""Names that no column of a file can have: the platform's own, and those of Delta's change feed."""

NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class Column(Strict):
    """A column: its Spark SQL type (the query's own where absent) and what it means."""

    type: str | None = Field(None, description="A Spark SQL type: int, decimal(9,2), array<string>, ...")
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value


class Metric(Strict):
    """A figure over a table's rows that dashboards share, certified: an aggregate and what it means."""

    expression: str = Field(description="An aggregate in Spark SQL: SUM(delayed) / SUM(flights).")
    label: str = Field("", description="What charts call it; made of the name where it is absent.")
    description: str = ""
    format: str = Field(
        "",
        description="How the number is written, in D3's format: `,d`, `.1%`, `,.1f`. By size where absent.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"expression": value} if isinstance(value, str) else value


class TableSpec(Strict):
    """One table, as its YAML file declares it. See docs/declarations.md for every key."""

    description: str = ""
    owner: str | None = None
    tags: Names = ()
    source: Source | None = Field(None, description="Where a bronze table's rows come from.")
    columns: dict[str, Column] = Field(default_factory=dict, description="Columns: types and descriptions.")
    load: Annotated[Load, BeforeValidator(tagged)] | None = Field(
        None,
        description="How rows enter the table. Bronze appends, other tables overwrite where nothing is said.",
    )
    changes_of: Names = Field((), description="The upstream tables whose changes drive an incremental load.")
    lookups: dict[str, Literal["as_loaded"]] = Field(
        default_factory=dict, description="Upstreams whose changes do not rebuild this table."
    )
    reads: Names = Field((), description="The upstream tables of a Python table.")
    on_new_column: Literal["add", "ignore", "fail"] = "add"
    on_missing_column: Literal["fail", "fill"] = Field(
        "fail", description="A delivered file lacks a declared column: stop, or fill it with NULL."
    )
    on_removed: Literal["fail", "ignore"] = Field(
        "fail", description="An append's upstream lost rows: stop, or keep what was appended."
    )
    on_definition_change: Literal["rebuild", "fail"] = "rebuild"
    expectations: tuple[DeclaredExpectation, ...] = ()
    fresh_within: FreshWithin | None = Field(
        None, description="How old the table may become: since its last load, or by a column's newest value."
    )
    gate: Severity | Literal["none"] | None = Field(
        None, description="DQOps' checks run after each load; a result as grave as this stops what follows."
    )
    metrics: dict[str, Metric] = Field(
        default_factory=dict, description="Figures that dashboards show of a gold table."
    )
    cluster_by: Names = Field(
        (), description="Up to four columns to cluster the table's files by.", max_length=4
    )
    properties: dict[str, str] = Field(default_factory=dict, description="Delta table properties.")


class PipelineSpec(Strict):
    """A folder of tables with one schedule: `pipeline.yaml`."""

    description: str = ""
    owner: str | None = None
    tags: Names = ()
    schedule: Schedule | None = Field(
        None, description="A cron expression, or a mapping with `cron` and `after`; none means by hand."
    )
    start_date: date | None = Field(None, description="The first day that the schedule stands for.")
    catchup: bool = Field(False, description="Run what lies between the start date and now as well.")
    tasks: Literal["table", "layer", "pipeline"] = Field(
        "table", description="What one task loads: fewer tasks start Spark less often."
    )
    max_active_runs: int = Field(1, ge=1, le=16, description="How many runs may be under way at once.")
    retries: int = Field(2, ge=0, le=10, description="How often a task is tried again where that can help.")
    timeout: Duration | None = Field(None, description="How long a task may take: 45m, 2h.")
    deadline: Duration | None = Field(None, description="How long a run may take before people are told.")
    pool: str = Field("spark", description="The pool whose slots the tasks take, one of the project's.")
    priority: int = Field(1, ge=1, le=1000, description="Tasks of a greater priority take slots first.")
    alerts: Names = Field(
        (), description="Airflow connections that hear of failed tasks and of deadlines that passed."
    )
    gates: dict[Layer, Severity] = Field(
        default_factory=dict, description="The `gate` of all tables of a layer that declare none themselves."
    )


class SparkSpec(Strict):
    """How the Spark session of a profile is made."""

    master: str = "local[*]"
    conf_dir: str | None = Field(
        None, description="A folder with Spark's and Hadoop's settings: core-site.xml, hive-site.xml."
    )
    memory: str = Field("2g", description="The driver's heap.")
    light: bool = Field(
        True, description="Compile lightly: starts and short loads are faster, loads of many minutes slower."
    )
    wait_for_cores: Duration = Field(
        timedelta(minutes=10),
        description="How long a job waits for a standalone master's first executor: 90s, 10m.",
    )
    conf: dict[str, str | int | float | bool] = Field(default_factory=dict)


class ProfileSpec(Strict):
    """Where things live. Relative paths are relative to the project; `${NAME}` and `${NAME:-default}` in a text
    stand for the environment's."""

    landing: str = ".goldsmith/landing"
    warehouse: str = ".goldsmith/warehouse"
    catalog: Literal["memory", "hive"] = Field(
        "memory", description="Where tables are known by name: in the session alone, or in a Hive Metastore."
    )
    parallel: int = Field(4, ge=1, le=64, description="How many tables load side by side.")
    spark: SparkSpec = Field(default_factory=SparkSpec)

    @property
    def on_s3(self) -> bool:
        return any(place.startswith("s3a://") for place in (self.landing, self.warehouse))


class DqopsSpec(Strict):
    """When DQOps checks tables at rest by itself, by layer: cron expressions in UTC. Tables with a gate are
    checked by the gate alone."""

    bronze: CronText = "0 8 * * *"
    silver: CronText = "20 8 * * *"
    gold: CronText = "40 8 * * *"


class ProjectSpec(Strict):
    """`goldsmith.yaml`, at the root of a project."""

    name: str = "lakehouse"
    pipelines: str = Field("pipelines", description="The folder that holds the pipelines.")
    profile: str = Field("local", description="The profile that is used when none is named.")
    profiles: dict[str, ProfileSpec] = Field(default_factory=lambda: {"local": ProfileSpec()})
    dqops: DqopsSpec = Field(default_factory=DqopsSpec, description="When DQOps checks each layer.")
    pools: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=lambda: {"spark": 2},
        description="Slots by pool: how many tasks that share it run Spark at once.",
    )
    maintenance: CronText | None = Field(
        "0 3 * * 0", description="When tables and Airflow's records are tidied; null means never."
    )
