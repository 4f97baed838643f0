"""Sends alerts about failed tasks and missed deadlines to the addresses of Airflow connections."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from functools import partial
from typing import Any

from airflow.sdk import Connection, DeadlineAlert, DeadlineReference, SyncCallback

from goldsmith.http import HttpSession, as_json
from goldsmith.project.pipelines import Pipeline

_SECONDS = 20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Alert:
    """The content of an alert. text: a one-line summary."""

    text: str
    dag: str
    run: str
    task: str | None = None
    why: str | None = None
    link: str | None = None


def on_failure(connections: Sequence[str]) -> Callable[[Mapping[str, Any]], None] | None:
    """The callback for tasks that failed without a further retry; None without connections."""
    return partial(task_failed, connections=tuple(connections)) if connections else None


def deadline_of(pipeline: Pipeline) -> DeadlineAlert | None:
    """The deadline of the pipeline's runs, counted from the time they are queued; None if none is declared."""
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
    """Sends an alert about a task that failed without a further retry."""
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
    """Sends an alert about a run that missed its deadline."""
    run = context.get("dag_run") or {}
    run_id = run.get("run_id") if isinstance(run, Mapping) else getattr(run, "run_id", "")
    send(Alert(f"{dag_id}: not finished within {limit}", dag=dag_id, run=str(run_id or "")), connections)


def send(alert: Alert, connections: Sequence[str]) -> None:
    """Sends the alert to each connection. A failure is logged and does not affect the others."""
    for name in connections:
        try:
            _send_one(Connection.get(name), alert)
        except Exception:
            log.exception("The alert could not be sent through the connection `%s`.", name)


def _send_one(connection: Any, alert: Alert) -> None:
    """Sends JSON by HTTP, or an email if the connection has the type smtp or email."""
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
    reply = HttpSession(_SECONDS).send("POST", url, as_json(asdict(alert)), headers)
    if reply.is_error:
        raise OSError(f"The address of `{connection.conn_id}` returned status {reply.status}.")
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
