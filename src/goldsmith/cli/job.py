"""Commands of the noun `job`: Python files started by spark-submit."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from goldsmith.cli.console import out
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import profile_name, project_root
from goldsmith.errors import DeclarationError
from goldsmith.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "job", "Jobs: Python files started by spark-submit.")
    group.command(
        rich_help_panel=Panel.LOAD,
        # Arguments behind the job's name are the job's.
        context_settings={"allow_interspersed_args": False},
    )(submit)


def submit(
    job: Annotated[
        str, typer.Argument(help="A Python file, or the name of one in jobs/, as `run` or `maintain`.")
    ],
    arguments: Annotated[list[str] | None, typer.Argument(help="The job's own arguments.")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="A profile of goldsmith.yaml.")] = None,
    master: Annotated[
        str | None,
        typer.Option("--master", help="spark://host:7077, yarn, k8s://https://host:6443, local[2]."),
    ] = None,
    deploy_mode: Annotated[
        str | None, typer.Option("--deploy-mode", help="client or cluster: where the driver runs.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The application's name.")] = None,
    conf: Annotated[
        list[str] | None, typer.Option("--conf", help="A setting of Spark, as spark.executor.memory=4g.")
    ] = None,
    image: Annotated[str | None, typer.Option("--image", help="Kubernetes: the image of the pods.")] = None,
    namespace: Annotated[
        str, typer.Option("--namespace", help="Kubernetes: the namespace of the pods.")
    ] = "default",
    service_account: Annotated[
        str | None,
        typer.Option("--service-account", help="Kubernetes: the driver's account, which may create pods."),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            "--secret", help="Kubernetes: a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ),
    ] = None,
    pod_template: Annotated[
        str | None, typer.Option("--pod-template", help="Kubernetes: a file with the template of the pods.")
    ] = None,
    executors: Annotated[int, typer.Option("--executors", min=1, help="Kubernetes: the number of pods.")] = 2,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the command.")] = False,
) -> None:
    """Start a job by spark-submit on any master, with the profile's settings and jars.

    Example: `goldsmith job submit --profile cluster examples/worst_days.py --origin EWR`

    Options of `submit` precede the job's name; the job receives all arguments behind it. `goldsmith job submit run
    flights` does the same as `goldsmith run flights`.
    """
    from goldsmith.engine.launch.submit import Pods, SubmitRequest, submission
    from goldsmith.project.loading import read_spec
    from goldsmith.project.profiles import chosen_profile

    root = project_root()
    spec = read_spec(root)
    chosen = profile or profile_name() or spec.profile
    request = SubmitRequest(
        job,
        tuple(arguments or ()),
        master,
        deploy_mode,
        name,
        dict(_setting(each) for each in conf or ()),
        Pods(image, namespace, service_account, secret, pod_template, executors),
    )
    found = submission(root, chosen, chosen_profile(spec, chosen, root), request, Settings.from_environment())
    if dry_run:
        out.print(_shown(found.environment, found.command), soft_wrap=True)
        return
    sys.stdout.flush()
    os.execve(found.command[0], found.command, {**os.environ, **found.environment})


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.startswith("spark."):
        raise DeclarationError(
            "GS504",
            f"`--conf {text}` is not a setting of Spark.",
            hint="Write it as `--conf spark.executor.memory=4g`.",
        )
    return key, value


def _shown(environment: Mapping[str, str], command: tuple[str, ...]) -> str:
    """The command for a shell, with one option per line."""
    lines = [f"{key}={shlex.quote(value)}" for key, value in environment.items()]
    words = list(command)
    line = shlex.quote(words.pop(0))
    while words and words[0].startswith("--"):
        lines.append(line)
        option, value = words.pop(0), words.pop(0)
        line = f"  {option} {shlex.quote(value)}"
    lines += [line, "  " + shlex.join(words)]
    return " \\\n".join(lines)
