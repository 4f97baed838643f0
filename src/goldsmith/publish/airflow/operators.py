"""The tasks: load tables by spark-submit, deliver a feed's files."""

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
from goldsmith.publish.airflow.outcomes import Result, extra_of, may_retry, read_result, told
from goldsmith.publish.airflow.requests import Request, read_request
from goldsmith.publish.airflow.spark import JobHook, die_with_supervisor, environment

RESULT = "{result}"
"""Stands in a job's arguments for the file that takes its result."""

LOADED = "loaded"
"""The key under which a load leaves what the events of tables with a gate will say."""


class Asked:
    """What a run asks of a task: read from its partition and its form, in the same way for every task."""

    def __init__(self, known: Sequence[str], cron: str | None) -> None:
        self._known = tuple(known)
        self._cron = Cron.parse(cron) if cron else None

    def of(self, context: Mapping[str, Any]) -> Request:
        """The run's request. Raises AirflowFailException where it is wrong: trying again would not help."""
        run = context["dag_run"]
        try:
            return read_request(
                context["params"], run.partition_key, self._cron, self._known, datetime.now(UTC).date()
            )
        except GoldsmithError as error:
            raise AirflowFailException(f"{error.code} {error.message} {error.hint or ''}".strip()) from None

    def key(self, context: Mapping[str, Any], request: Request) -> str | None:
        """The partition that a run by hand brings up to date, so that pipelines that wait for it start too."""
        if context["dag_run"].partition_key or request.days is None or self._cron is None:
            return None
        return last_key(request.days, self._cron)


class SparkJob(SparkSubmitOperator):
    """A job of Goldsmith, started by spark-submit. project: its folder. profile: None means the project's own."""

    operator_extra_links = LINKS

    def __init__(self, *, project: str, profile: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.profile = profile
        # Of the application that runs or ran: its button leads there.
        self.spark_application: str | None = None

    def submit(self, context: Any, arguments: Sequence[str]) -> Result | None:
        """Runs the job to its end and returns its result, None where it writes none that can be read here.

        Raises AirflowFailException where trying again would not help, else AirflowException.
        """
        die_with_supervisor()
        shared = ("--project", self.project, *(("--profile", self.profile) if self.profile else ()))
        with tempfile.TemporaryDirectory(prefix="goldsmith-") as folder:
            file = Path(folder) / "result.json"
            self.application_args = [word.replace(RESULT, str(file)) for word in (*arguments, *shared)]
            return self._submit(context, file)

    def _submit(self, context: Any, file: Path) -> Result | None:
        def named(application: str) -> None:
            self.spark_application = application
            page = application_page(application)
            if page is not None:
                # Airflow asks for the link when the task has ended; people look while it runs.
                context["ti"].xcom_push(key=APPLICATION_LINK, value=page)

        try:
            self._hook = hook = self._get_hook(named)
        except GoldsmithError as error:
            raise AirflowFailException(f"{error.code} {error.message} {error.hint or ''}") from None
        failed: AirflowException | None = None
        try:
            super().execute(context)
        except AirflowException as error:
            failed = error
        finally:
            hook.tell_chatter()
        result = read_result(file)
        if failed is None:
            return result
        if hook.exit_code is None:
            raise failed
        kind = AirflowException if may_retry(hook.exit_code, result) else AirflowFailException
        raise kind(told(hook.exit_code, result)) from None

    def _get_hook(self, named: Callable[[str], None] | None = None) -> JobHook:
        return JobHook(
            named=named,
            conf=self.conf,
            conn_id=self._conn_id,
            name=self.name,
            driver_memory=self._driver_memory,
            application_args=self.application_args,
        )


class LoadTables(SparkJob):
    """Loads tables by `spark-submit jobs/run.py`.

    tables: full names, in loading order. known: all tables of the pipeline, which the form may name. cron: whose
    times the partitions' keys are. gated: the tables that a gate follows, whose events are the gate's. The task's
    events carry each table's counts and verdicts.
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

    def execute(self, context: Any) -> None:
        asked = Asked(self.known, self.cron)
        request = asked.of(context)
        chosen = request.chosen(self.tables)
        if not chosen:
            raise AirflowSkipException("The run was asked for other tables.")
        days = request.days
        interval = ("--from", days.start.isoformat(), "--to", days.end.isoformat()) if days else ()
        rebuild = [word for name in request.rebuild if name in chosen for word in ("--rebuild", name)]
        result = self.submit(context, (*chosen, *interval, *rebuild, "--result", RESULT))
        told = {name: extra_of(name, result) or {} for name in chosen}
        if self.gated:
            context["ti"].xcom_push(
                key=LOADED, value={name: told[name] for name in chosen if name in self.gated}
            )
        key = asked.key(context, request)
        for name in chosen:
            if name in self.gated:
                continue
            event = context["outlet_events"][asset_of(name)]
            event.extra = told[name]
            if key is not None:
                event.add_partitions(key)


class WaitForTables(BaseSensorOperator):
    """Waits until tables of other pipelines were loaded up to the end of the run's interval.

    tables: to their cron expressions, None where their runs have no partitions. A run without days waits for nothing.
    """

    def __init__(
        self, *, tables: Mapping[str, str | None], known: Sequence[str], cron: str | None, **kwargs: Any
    ) -> None:
        super().__init__(mode="reschedule", inlets=[asset_of(name) for name in tables], **kwargs)
        self.tables = {name: Cron.parse(text) if text else None for name, text in tables.items()}
        self.known = tuple(known)
        self.cron = cron

    def poke(self, context: Any) -> bool:
        days = Asked(self.known, self.cron).of(context).days
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
            self.log.info("Not loaded up to the end of %s yet: %s", days, ", ".join(missing))
        return not missing


class MaintainTables(SparkJob):
    """Puts the files of all tables in order, by `spark-submit jobs/maintain.py`."""

    def execute(self, context: Any) -> None:
        self.submit(context, ())


class DropOldRecords(BaseOperator):
    """Removes Airflow's records of runs that ended many days ago, by `airflow db clean`.

    It needs the address of Airflow's database, which Airflow hides from tasks: AIRFLOW_CONN_AIRFLOW_DB holds it.
    Skipped where that connection is not declared.
    """

    def __init__(self, *, days: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.days = days

    def execute(self, context: Any) -> None:
        try:
            database = Connection.get("airflow_db")
        except AirflowNotFoundException:
            raise AirflowSkipException(
                "There is no connection `airflow_db`: Airflow's records stay."
            ) from None
        before = (datetime.now(UTC) - timedelta(days=self.days)).isoformat()
        command = ["airflow", "db", "clean", "--clean-before-timestamp", before, "--skip-archive", "--yes"]
        # A connection's type is no dialect of SQLAlchemy, and its own choice of a driver is not the one that is here.
        uri = database.get_uri().replace("postgres://", "postgresql+psycopg2://", 1)
        subprocess.run(command, check=True, env={**environment(), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": uri})


class DeliverFeed(BaseOperator):
    """Delivers a pipeline's files for the days of a run, by `goldsmith feed run`; skipped for a run without days."""

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
        request = Asked(self.known, self.cron).of(context)
        if request.days is None:
            raise AirflowSkipException("The run stands for no days: there is nothing to deliver for it.")
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
            raise AirflowFailException(f"The feed cannot deliver (exit code {code}): its messages are above.")
        if code != Exit.DONE:
            raise AirflowException(f"The feed failed (exit code {code}): its messages are above.")

    def on_kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
