"""Executes the steps of a case in one Spark session, and checks each commit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from differential import bronze, copying
from differential.avro_files import write_avro
from differential.batches import content, packed
from differential.case import Case, Declared, Step
from differential.delta_table import DeltaTable, entries
from differential.failing import Failed
from differential.interrupts import Killed, at_call, kill
from differential.values import fields_of, read_back
from goldsmith.errors import DeclarationErrors, GoldsmithError
from goldsmith.project.loading import load_project
from goldsmith.project.pipelines import Project
from goldsmith.quality.checking import check_expectations
from goldsmith.run.context import Accepted, DataInterval, Run
from goldsmith.run.query import views
from goldsmith.run.release import release
from goldsmith.run.table_loading import Loaded, load_table

BEGAN = 1_700_000_000
"""The modification time of the first file, in seconds. Each further file's is a second later."""

EXPECTED = frozenset(
    {"GS301", "GS303", "GS304", "GS305", "GS306", "GS307", "GS404", "GS405", "GS501", "GS601"}
)
"""Errors that any load may end with. Whether they persist is checked at the end of the case."""

CHECKS = (check_expectations,)
"""Further checks of `goldsmith check`."""


class Machine:
    """One lake in a folder."""

    def __init__(self, spark: SparkSession, root: Path, case: Case) -> None:
        self.spark, self.root, self.case = spark, root, case
        self.landing = root / ".goldsmith/landing"
        self.landing.mkdir(parents=True)
        self.declared: dict[str, Declared] = {}
        self.delivered: dict[str, Step] = {}
        """The newest delivery of each path."""
        self.ever: list[Step] = []
        self.errors: dict[str, GoldsmithError] = {}
        self.seen: set[str] = set()
        """Events of the case, for the summary."""
        self._project: Project | None = None
        self._clock = BEGAN
        self._second: SparkSession | None = None

    # Declarations.

    def _write(self, path: str, text: str | None) -> None:
        file = self.root / path
        if text is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def _declare(self, name: str, declared: Declared | None) -> None:
        base = f"pipelines/p/{name.replace('.', '/')}"
        text = yaml.safe_dump(declared.yaml, sort_keys=False, allow_unicode=True) if declared else None
        self._write(f"{base}.yaml", text)
        self._write(f"{base}.sql", declared.sql if declared else None)
        self.declared = {key: value for key, value in self.declared.items() if key != name}
        if declared is not None:
            self.declared[name] = declared
        self._project = None

    @property
    def project(self) -> Project:
        """The project. Declarations that `check` refuses are replaced."""
        while self._project is None:
            try:
                self._project = load_project(self.root, CHECKS)
            except DeclarationErrors as errors:
                wrong = {self._owner(error) for error in errors.problems}
                for name in wrong:
                    self.seen.add("refused")
                    declared = self.declared.get(name or "")
                    if name is None or declared is None:
                        detail = "; ".join(f"{item.code} {item.message}" for item in errors.problems)
                        raise Failed("check", "", f"A mistake of no table: {detail}") from errors
                    self._declare(name, declared.otherwise[0] if declared.otherwise else None)
                    if declared.otherwise:
                        self.declared[name].otherwise = declared.otherwise[1:]
            except GoldsmithError as error:
                raise Failed("check", "", f"{error.code} {error.message}") from error
            except Exception as error:
                raise Failed("raw", "", f"check: {type(error).__name__}: {error}") from error
        return self._project

    @property
    def noted(self) -> set[str]:
        """The tables with a note of `check` that ties may differ in a rebuild."""
        return {
            name for name, table in self.project.tables.items() if table.analysis and table.analysis.notes
        }

    def _owner(self, error: GoldsmithError) -> str | None:
        """The table whose files have a mistake; for a cycle, any of its tables."""
        file = error.where.file
        if file is not None:
            parts = Path(file).with_suffix("").parts
            return ".".join(parts[-2:])
        named = [name for name in self.declared if name in error.message and self.declared[name].sql]
        return error.where.table or (named[-1] if named else None)

    def begin(self, **options: Any) -> Run:
        return Run.begin(self.project, **options)

    # Steps.

    def play(self) -> None:
        """Executes all steps."""
        self._write("goldsmith.yaml", "name: differential\n")
        self._write("pipelines/p/pipeline.yaml", "description: A case.\n")
        self._write(copying.FILE, copying.MODULE)
        for name, declared in self.case.tables.items():
            self._declare(name, Declared.of(vars_of(declared)))
            if declared.sql is None:
                (self.landing / name.split(".")[1]).mkdir(exist_ok=True)
        for step in self.case.steps:
            self.execute(step)

    def execute(self, step: Step) -> None:
        """Executes one step."""
        self.seen.add(step["do"])
        getattr(self, f"_do_{step['do']}")(**{key: value for key, value in step.items() if key != "do"})

    def _do_deliver(self, **step: Any) -> None:
        file = self.landing / step["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        text = content({**step, "do": "deliver"})
        if text is None:
            write_typed(step, file)
        else:
            file.write_bytes(packed(text, file.name))
        self._clock += 1
        os.utime(file, (self._clock, self._clock))
        self.delivered[step["path"]] = step
        self.ever.append(step)

    def _do_withdraw(self, path: str) -> None:
        """Removes a file from the source that an extract asks."""
        (self.landing / path).unlink(missing_ok=True)

    def _do_run(
        self,
        tables: list[str] | None = None,
        accept: Iterable[str] = (),
        interrupt: Step | None = None,
        day: str | None = None,
        again: bool = False,
    ) -> None:
        if again:
            self.seen.add("asked again")
        self.run(tables, accept=accept, interrupt=interrupt, day=day, again=again)

    def _do_rebuild(self, table: str, interrupt: Step | None = None) -> None:
        if table in self.project.tables:
            self.run([table], rebuild=[table], interrupt=interrupt)

    def _do_declare(self, table: str, **as_: Any) -> None:
        """Changes a table's declaration, unless `check` refuses it."""
        former, others = self.declared.get(table), dict(self.declared)
        wanted = Declared.of(as_["as"])
        self._declare(table, wanted)
        try:
            load_project(self.root, CHECKS)
        except GoldsmithError:
            self.seen.add("refused change")
            self._declare(table, former)
            self.declared = others
        except Exception as error:
            raise Failed("raw", table, f"check: {type(error).__name__}: {error}") from error

    def _do_remove(self, table: str) -> None:
        """Removes a declaration without readers. Its Delta table remains."""
        if any(table in needs for needs in self.project.needs.values()):
            return
        self._declare(table, None)

    def _do_drop(self, table: str) -> None:
        """Deletes a table's folder."""
        shutil.rmtree(self.begin().path(table), ignore_errors=True)
        self.forget()

    def forget(self) -> None:
        self.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]

    def _do_release(self, table: str, where: str | None = None, interrupt: Step | None = None) -> None:
        run = self.begin()
        if table not in run.project.tables:
            return
        self._guarded(table, lambda: release(self.spark, run, run.project.tables[table], where), interrupt)

    def _do_sql(self, table: str, text: str) -> None:
        """Runs a statement outside Goldsmith, with `{t}` for the table. Ignores errors of Spark."""
        path = self.begin().path(table)
        if not DeltaTable(path).exists:
            return
        try:
            self.spark.sql(text.replace("{t}", f"delta.`{path}`")).collect()
        except PySparkException:
            self.seen.add("refused statement")

    def _do_restore(self, table: str, back: int) -> None:
        current = DeltaTable(self.begin().path(table))
        if current.version >= back:
            self._do_sql(table, f"RESTORE {{t}} TO VERSION AS OF {current.version - back}")

    def _do_maintain(self, table: str) -> None:
        from goldsmith.run.maintaining import maintain

        run = self.begin()
        if table in run.project.tables and DeltaTable(run.path(table)).exists:
            for done in maintain(self.spark, run, [table], ops=False, dry_run=False, parallel=1):
                if done.error is not None:
                    raise Failed("error", done.table, f"{done.error.code} {done.error.message}")

    # Loads.

    def run(
        self,
        tables: list[str] | None = None,
        *,
        rebuild: Iterable[str] = (),
        accept: Iterable[str] = (),
        interrupt: Step | None = None,
        day: str | None = None,
        again: bool = False,
    ) -> dict[str, Loaded]:
        """Loads tables in order, as a run does. Returns the loads by table, and sets `errors`.

        day: the day that sources by interval are asked for. again: also if it is loaded.
        """
        asked = DataInterval.of(date.fromisoformat(day), None) if day else None
        run = self.begin(
            rebuild=frozenset(rebuild),
            accepted=Accepted(frozenset(accept), "tester", "a test"),
            interval=asked,
            restating=asked if again else None,
        )
        chosen = [name for name in run.project.tables if tables is None or name in tables]
        self.errors = {}
        done: dict[str, Loaded] = {}
        for name in chosen:
            if any(need in self.errors for need in run.project.needs[name]):
                self.errors[name] = GoldsmithError("GS307", "skipped")
                continue
            mine = interrupt if interrupt is not None and interrupt["table"] == name else None
            before = DeltaTable(run.path(name)).version
            loaded = self._guarded(
                name, lambda name=name: load_table(self.spark, run, run.project.tables[name]), mine
            )
            if loaded == "killed":
                self.seen.add("killed")
                return done
            if loaded is not None:
                done[name] = loaded
                self._counted(run, name, before, loaded)
        return done

    def _guarded(self, table: str, body: Callable[[], Any], interrupt: Step | None) -> Any:
        """Runs one table's work. An expected error is recorded in `errors`; any other one is a failure."""
        try:
            with self._interrupted(table, interrupt):
                return body()
        except Killed:
            return "killed"
        except GoldsmithError as error:
            self._check_error(table, error)
            self.errors[table] = error
            return None
        except Failed:
            raise
        except Exception as error:
            raise Failed("raw", table, f"{type(error).__name__}: {error}") from error

    def _interrupted(self, table: str, interrupt: Step | None) -> AbstractContextManager[None]:
        if interrupt is None:
            return nullcontext()
        match interrupt["what"]:
            case "die":
                act: Callable[[], None] = kill
            case "append":
                act = lambda: self._beside(lambda: self._foreign_append(table))  # noqa: E731
            case _:
                act = lambda: self._beside(lambda: self._load_beside(interrupt["other"]))  # noqa: E731
        return at_call(interrupt["call"], act, after=interrupt.get("after", False))

    def _beside(self, work: Callable[[], None]) -> None:
        self.seen.add("concurrent")
        work()

    def _foreign_append(self, table: str) -> None:
        path = self.begin().path(table)
        if DeltaTable(path).exists:
            self._other_session().sql(f"INSERT INTO delta.`{path}` SELECT * FROM delta.`{path}` LIMIT 1")

    def _load_beside(self, table: str) -> None:
        run = self.begin()
        if table in run.project.tables:
            try:
                load_table(self._other_session(), run, run.project.tables[table])
            except GoldsmithError as error:
                self._check_error(table, error)

    def _other_session(self) -> SparkSession:
        if self._second is None:
            self._second = self.spark.newSession()
        return self._second

    def _check_error(self, table: str, error: GoldsmithError) -> None:
        """Raises Failed for an unexpected error, or one without a location."""
        detail = f"{error.code} {error.message}"
        known = error.code in EXPECTED or (error.code == "GS403" and self._of_the_query(table, error))
        if not known and not (error.code == "GS103" and self._has_untyped_columns()):
            kind = "raw" if error.code == "GS999" else "error"
            raise Failed(kind, table, detail) from error
        if table not in f"{error.where} {error.message}":
            raise Failed("error without a location", table, detail) from error

    def _has_untyped_columns(self) -> bool:
        """Whether files decide types: an expectation may not fit those of a first load of files with several types."""
        return any(
            not kind
            for declared in self.declared.values()
            for kind in declared.yaml.get("columns", {}).values()
        )

    def _of_the_query(self, table: str, error: GoldsmithError) -> bool:
        """Whether the table's query fails without Goldsmith too."""
        of_spark = isinstance(error.__cause__, PySparkException | Py4JJavaError)
        if not of_spark or self.project.tables[table].query is None:
            return False
        try:
            self.query(table).write.format("noop").mode("overwrite").save()
        except PySparkException:
            self.seen.add("the query fails by itself")
            return True
        return False

    def query(self, table: str) -> DataFrame:
        """A table's query over its current upstreams, without Goldsmith's loads."""
        run = self.begin()
        declared = run.project.tables[table]
        assert declared.query is not None
        frames = {name: self.spark.read.format("delta").load(run.path(name)) for name in declared.upstreams}
        with views(self.spark, frames) as names:
            return self.spark.sql(declared.query.rendered(names))

    # Counts.

    def _counted(self, run: Run, table: str, before: int, loaded: Loaded) -> None:
        """Compares each commit's counts with its files, the quarantine and the loaded files."""
        for metadata, version in zip(loaded.commits, loaded.versions, strict=True):
            delta, counts = DeltaTable(run.path(table)), metadata.counts
            total = counts.written + counts.quarantined + counts.dropped + counts.superseded
            if counts.rows_in != total:
                raise Failed("counts", table, f"rows in {counts.rows_in}, and {counts} make {total}")
            commit = next(item for item in delta.commits if item.version == version)
            kind = run.project.tables[table].load.kind
            # Overwriting a part of a table copies the other rows of its files.
            written = delta.count_of(commit.added) - int(commit.metrics.get("numCopiedRows", 0))
            if kind in ("merge", "scd2") and metadata.mode == "incremental":
                grown = delta.count(version) - delta.count(version - 1)
                if grown != counts.inserted - counts.deleted:
                    raise Failed("counts", table, f"version {version} grew by {grown}, and says {counts}")
            elif written != counts.written:
                raise Failed("counts", table, f"version {version} wrote {written} rows, and says {counts}")
            if metadata.files:
                files = [self.landing / file.path for file in metadata.files]
                quarantine = DeltaTable(run.quarantine_path(table))
                mine = [entry for entry in entries(quarantine) if entry["run_id"] == metadata.run_id]
                yaml_ = self.declared[table].yaml
                bronze.check_commit(delta, version, yaml_, files, mine, metadata)


def vars_of(declared: Declared) -> dict[str, Any]:
    return {
        "yaml": declared.yaml,
        "sql": declared.sql,
        "otherwise": [vars_of(item) for item in declared.otherwise],
    }


def write_typed(step: Step, file: Path) -> None:
    """Writes a delivery as a Parquet or Avro file. Beside an Avro file, loads ignore its rows as Parquet."""
    if step["format"] == "avro":
        write_avro(step, file)
        file = bronze.parquet_of(file)
    pq.write_table(arrow_table(step), file)


def arrow_table(step: Step) -> pa.Table:
    """A delivery as an Arrow table."""
    columns = list(zip(*[read_back(row) for row in step["records"]], strict=True))
    columns = columns or [()] * len(step["columns"])
    arrays = []
    for kind, values in zip(step["types"], columns, strict=True):
        wanted = arrow_type(kind)
        raw = pa.int64() if pa.types.is_timestamp(wanted) else pa.int32() if kind == "date" else None
        if raw is not None:
            arrays.append(pa.array(values, raw).cast(wanted))
        else:
            arrays.append(pa.array([_arrow(kind, value) for value in values], wanted))
    return pa.Table.from_arrays(arrays, step["columns"])


def _arrow(kind: str, value: Any) -> Any:
    """Nested values for pyarrow: maps as pairs."""
    if isinstance(value, dict) and kind.startswith("map"):
        return list(value.items())
    return value


def arrow_type(kind: str) -> pa.DataType:
    """The Arrow type for a Spark type, as in Parquet files of other programs."""
    plain: dict[str, pa.DataType] = {
        "boolean": pa.bool_(),
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "string": pa.string(),
        "binary": pa.binary(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
        "timestamp_ntz": pa.timestamp("us"),
    }
    if kind in plain:
        return plain[kind]
    inside = kind[kind.find("<") + 1 : -1]
    if kind.startswith("decimal"):
        digits, scale = kind[8:-1].split(",")
        return pa.decimal128(int(digits), int(scale))
    if kind.startswith("array"):
        return pa.list_(arrow_type(inside))
    if kind.startswith("map"):
        key, _, item = inside.partition(",")
        return pa.map_(arrow_type(key), arrow_type(item))
    return pa.struct([(name, arrow_type(of)) for name, of in fields_of(kind).items()])
