"""Tells people of failed tasks and passed deadlines, at the addresses that Airflow connections hold."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from functools import partial
from typing import Any

from airflow.sdk import Connection, DeadlineAlert, DeadlineReference, SyncCallback

from goldsmith.http import Session, as_json
from goldsmith.project.tables import Pipeline

_SECONDS = 20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Alert:
    """What people are told. text: one line for those who read nothing else."""

    text: str
    dag: str
    run: str
    task: str | None = None
    why: str | None = None
    link: str | None = None


def on_failure(connections: Sequence[str]) -> Callable[[Mapping[str, Any]], None] | None:
    """The callback of tasks that failed for good; None where nobody is to be told."""
    return partial(task_failed, connections=tuple(connections)) if connections else None


def deadline_of(pipeline: Pipeline) -> DeadlineAlert | None:
    """The deadline of the pipeline's runs, counted from when they are queued; None where none is declared."""
    spec = pipeline.spec
    if spec.deadline is None:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=spec.deadline,
        callback=SyncCallback(
            f"{__name__}.deadline_missed",
            kwargs={"dag_id": pipeline.name, "limit": str(spec.deadline), "connections": list(spec.alerts)},
        ),
    )


def task_failed(context: Mapping[str, Any], *, connections: Sequence[str]) -> None:
    """Tells of a task that failed and is not tried again."""
    task, why = context["ti"], context.get("exception")
    send(
        Alert(
            f"{task.dag_id}: {task.task_id} failed" + (f": {why}" if why else ""),
            dag=task.dag_id,
            run=task.run_id,
            task=task.task_id,
            why=str(why) if why else None,
            link=getattr(task, "log_url", None),
        ),
        connections,
    )


def deadline_missed(context: Mapping[str, Any], dag_id: str, limit: str, connections: Sequence[str]) -> None:
    """Tells of a run that is not done in its time."""
    run = context.get("dag_run") or {}
    run_id = run.get("run_id") if isinstance(run, Mapping) else getattr(run, "run_id", "")
    send(Alert(f"{dag_id}: not done within {limit}", dag=dag_id, run=str(run_id or "")), connections)


def send(alert: Alert, connections: Sequence[str]) -> None:
    """Tells each address. One that cannot be reached does not keep the others from hearing of it; it is logged."""
    for name in connections:
        try:
            _tell(Connection.get(name), alert)
        except Exception:
            log.exception("The alert could not be sent by the connection `%s`.", name)


def _tell(connection: Any, alert: Alert) -> None:
    """By HTTP as JSON, or by mail where the connection is of the type smtp or email."""
    if connection.conn_type in ("smtp", "email"):
        _mail(connection, alert)
        return
    port = f":{connection.port}" if connection.port else ""
    scheme = connection.schema or ("http" if connection.conn_type == "http" else "https")
    host = connection.host or ""
    url = host if "://" in host else f"{scheme}://{host}{port}"
    url += connection.extra_dejson.get("path", "")
    headers = {"Content-Type": "application/json"}
    if connection.password:
        headers["Authorization"] = f"Bearer {connection.password}"
    reply = Session(_SECONDS).send("POST", url, as_json(asdict(alert)), headers)
    if reply.is_error:
        raise OSError(f"The address of `{connection.conn_id}` answers {reply.status}.")
    log.info("Sent to %s", connection.conn_id)


def _mail(connection: Any, alert: Alert) -> None:
    extra = connection.extra_dejson
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = (
        alert.text.splitlines()[0],
        extra["from"],
        extra["to"],
    )
    message.set_content("\n".join(f"{key}: {value}" for key, value in asdict(alert).items() if value))
    with smtplib.SMTP(connection.host, connection.port or 25, timeout=_SECONDS) as server:
        if extra.get("starttls"):
            server.starttls()
        if connection.login:
            server.login(connection.login, connection.password or "")
        server.send_message(message)
