"""The operators: load tables with spark-submit, deliver a feed's files, wait, maintain."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import BaseOperator, BaseSensorOperator, Connection
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)

from goldsmith.errors import Exit, GoldsmithError
from goldsmith.project.cron import Cron
from goldsmith.publish.airflow.assets import asset_of
from goldsmith.publish.airflow.intervals import last_key, reaches
from goldsmith.publish.airflow.links import APPLICATION_LINK, LINKS, application_page
from goldsmith.publish.airflow.outcomes import Result, event_extra, failure_message, may_retry, read_result
from goldsmith.publish.airflow.requests import RunRequest, read_request
from goldsmith.publish.airflow.spark import JobHook, die_with_supervisor, environment

RESULT = "{result}"
"""Placeholder in a job's arguments for the path of its result file."""

LOADED = "loaded"
"""The XCom key of a load's results of tables with a gate, for their asset events."""


class RequestReader:
    """Reads the request of a run from its partition and its form. cron: the expression of the partition keys."""

    def __init__(self, known: Sequence[str], cron: str | None) -> None:
        self._known = tuple(known)
        self._cron = Cron.parse(cron) if cron else None

    def read(self, context: Mapping[str, Any]) -> RunRequest:
        """The run's request. Raises AirflowFailException if it is invalid, because a retry would not help."""
        run = context["dag_run"]
        try:
            return read_request(
                context["params"], run.partition_key, self._cron, self._known, datetime.now(UTC).date()
            )
        except GoldsmithError as error:
            raise AirflowFailException(f"{error.code} {error.message} {error.hint or ''}".strip()) from None

    def partition_key(self, context: Mapping[str, Any], request: RunRequest) -> str | None:
        """The partition that a manual run completes, so that pipelines waiting for it start too."""
        if context["dag_run"].partition_key or request.days is None or self._cron is None:
            return None
        return last_key(request.days, self._cron)


class SparkJob(SparkSubmitOperator):
    """A Goldsmith job, started by spark-submit. project: its folder. profile: None means the project's default."""

    operator_extra_links = LINKS

    def __init__(self, *, project: str, profile: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.profile = profile
        # The id of the running or finished application, for its button.
        self.spark_application: str | None = None

    def submit(self, context: Any, arguments: Sequence[str]) -> Result | None:
        """Runs the job to its end and returns its result, None without a readable result file.

        Raises AirflowException for a retryable failure, else AirflowFailException.
        """
        die_with_supervisor()
        with tempfile.TemporaryDirectory(prefix="goldsmith-") as folder:
            file = Path(folder) / "result.json"
            self.application_args = [
                word.replace(RESULT, str(file)) for word in (*arguments, *self._shared())
            ]
            return self._submit(context, file)

    def _shared(self) -> tuple[str, ...]:
        return ("--project", self.project, *(("--profile", self.profile) if self.profile else ()))

    def _submit(self, context: Any, file: Path) -> Result | None:
        def on_application(application: str) -> None:
            self.spark_application = application
            page = application_page(application)
            if page is not None:
                # Airflow computes the link after the task has ended; users need it while the task runs.
                context["ti"].xcom_push(key=APPLICATION_LINK, value=page)

        try:
            self._hook = hook = self._get_hook(on_application)
        except GoldsmithError as error:
            raise AirflowFailException(f"{error.code} {error.message} {error.hint or ''}") from None
        failed: AirflowException | None = None
        try:
            super().execute(context)
        except AirflowException as error:
            failed = error
        finally:
            hook.log_jvm_lines()
        result = read_result(file)
        if failed is None:
            return result
        if hook.exit_code is None:
            raise failed
        kind = AirflowException if may_retry(hook.exit_code, result) else AirflowFailException
        raise kind(failure_message(hook.exit_code, result)) from None

    def _get_hook(self, on_application: Callable[[str], None] | None = None) -> JobHook:
        return JobHook(
            on_application=on_application,
            conf=self.conf,
            conn_id=self._conn_id,
            name=self.name,
            driver_memory=self._driver_memory,
            application_args=self.application_args,
        )


class LoadTables(SparkJob):
    """Loads tables by `spark-submit jobs/run.py`.

    tables: full names, in loading order. known: all tables of the pipeline, which the form may name. cron: the
    expression of the partition keys. gated: the tables with a gate, which emits their asset events. The task's events
    contain each table's counts and verdicts.
    """

    def __init__(
        self,
        *,
        tables: Sequence[str],
        known: Sequence[str],
        cron: str | None,
        project: str,
        gated: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        outlets = [asset_of(name) for name in tables if name not in gated]
        application = str(Path(project) / "jobs" / "run.py")
        super().__init__(application=application, project=project, outlets=outlets, **kwargs)
        self.tables = tuple(tables)
        self.gated = tuple(gated)
        self.known = tuple(known)
        self.cron = cron
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Any) -> None:
        reader = RequestReader(self.known, self.cron)
        request = reader.read(context)
        chosen = request.chosen(self.tables)
        if not chosen:
            raise AirflowSkipException("The run does not include these tables.")
        days = request.days
        interval = ("--from", days.start.isoformat(), "--to", days.end.isoformat()) if days else ()
        rebuild = [word for name in request.rebuild if name in chosen for word in ("--rebuild", name)]
        arguments = (*chosen, *interval, *rebuild, "--result", RESULT)
        result = self._idle_result(arguments) or self.submit(context, arguments)
        extras = {name: event_extra(name, result) or {} for name in chosen}
        if self.gated:
            context["ti"].xcom_push(
                key=LOADED, value={name: extras[name] for name in chosen if name in self.gated}
            )
        key = reader.partition_key(context, request)
        for name in chosen:
            if name in self.gated:
                continue
            event = context["outlet_events"][asset_of(name)]
            event.extra = extras[name]
            if key is not None:
                event.add_partitions(key)

    def on_kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        super().on_kill()

    def _idle_result(self, arguments: Sequence[str]) -> Result | None:
        """The result of a run with nothing to do, without starting Spark; None if there is something to do.

        arguments: those of `goldsmith run`. An error here is met and reported by the job too.
        """
        die_with_supervisor()
        with tempfile.TemporaryDirectory(prefix="goldsmith-") as folder:
            file = Path(folder) / "result.json"
            words = [word.replace(RESULT, str(file)) for word in arguments]
            self._process = subprocess.Popen(
                ["goldsmith", *self._shared(), "run", *words, "--without-spark"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment(),
            )
            output, _ = self._process.communicate()
            code = self._process.returncode
            if code not in (Exit.DONE, Exit.NEEDS_SPARK):
                self.log.warning("Looking for new rows ended with exit code %d: %s", code, output.rstrip())
            if code != Exit.DONE:
                return None
            self.log.info("%s", output.rstrip())
            return read_result(file)


class WaitForTables(BaseSensorOperator):
    """Waits until tables of other pipelines are loaded up to the end of the run's interval.

    tables: cron expressions by table, None if its runs have no partitions. A run without an interval does not wait.
    """

    def __init__(
        self, *, tables: Mapping[str, str | None], known: Sequence[str], cron: str | None, **kwargs: Any
    ) -> None:
        super().__init__(mode="reschedule", inlets=[asset_of(name) for name in tables], **kwargs)
        self.tables = {name: Cron.parse(text) if text else None for name, text in tables.items()}
        self.known = tuple(known)
        self.cron = cron

    def poke(self, context: Any) -> bool:
        days = RequestReader(self.known, self.cron).read(context).days
        if days is None:
            return True
        missing = [
            name
            for name, cron in self.tables.items()
            if not any(
                reaches(days, event.partition_key, event.timestamp, cron)
                for event in context["inlet_events"][asset_of(name)]
            )
        ]
        if missing:
            self.log.info("Not yet loaded up to the end of %s: %s", days, ", ".join(missing))
        return not missing


class MaintainTables(SparkJob):
    """Compacts and vacuums all tables, by `spark-submit jobs/maintain.py`."""

    def execute(self, context: Any) -> None:
        self.submit(context, ())


class DropOldRecords(BaseOperator):
    """Removes Airflow's records older than `days`, by `airflow db clean`.

    It needs the address of Airflow's database, which Airflow hides from tasks, in AIRFLOW_CONN_AIRFLOW_DB.
    Skipped without that connection.
    """

    def __init__(self, *, days: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.days = days

    def execute(self, context: Any) -> None:
        try:
            database = Connection.get("airflow_db")
        except AirflowNotFoundException:
            raise AirflowSkipException(
                "There is no connection `airflow_db`: Airflow's old records are not removed."
            ) from None
        before = (datetime.now(UTC) - timedelta(days=self.days)).isoformat()
        command = ["airflow", "db", "clean", "--clean-before-timestamp", before, "--skip-archive", "--yes"]
        # A connection's type is not a SQLAlchemy dialect, and SQLAlchemy's default driver is not installed here.
        uri = database.get_uri().replace("postgres://", "postgresql+psycopg2://", 1)
        subprocess.run(command, check=True, env={**environment(), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": uri})


class DeliverFeed(BaseOperator):
    """Delivers a pipeline's files for the days of a run, by `goldsmith feed run`; skipped without an interval."""

    def __init__(
        self,
        *,
        pipeline: str,
        known: Sequence[str],
        cron: str | None,
        project: str,
        profile: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline
        self.known = tuple(known)
        self.cron = cron
        self.project = project
        self.profile = profile
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Any) -> None:
        request = RequestReader(self.known, self.cron).read(context)
        if request.days is None:
            raise AirflowSkipException("The run has no data interval: nothing to deliver.")
        die_with_supervisor()
        command = [
            "goldsmith",
            *("--project", self.project),
            *(("--profile", self.profile) if self.profile else ()),
            *("feed", "run", self.pipeline),
            *("--from", request.days.start.isoformat(), "--to", request.days.end.isoformat()),
        ]
        self.log.info("Delivering %s", request.days)
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.log.info("%s", line.rstrip())
        code = self._process.wait()
        if code in (Exit.WRONG_CALL, Exit.GATE, Exit.NOT_READY):
            raise AirflowFailException(f"The feed cannot deliver (exit code {code}): see its messages above.")
        if code != Exit.DONE:
            raise AirflowException(f"The feed failed (exit code {code}): see its messages above.")

    def on_kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
