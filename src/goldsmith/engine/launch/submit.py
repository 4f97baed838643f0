"""Builds the spark-submit command of a job: on this machine, a standalone master, YARN or Kubernetes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from goldsmith.engine.launch.driver import additional_jars, java_options, light_options
from goldsmith.engine.launch.jars import spark_jars
from goldsmith.engine.launch.java import find_java
from goldsmith.engine.launch.master import runs_here
from goldsmith.errors import DeclarationError
from goldsmith.project.models import ProfileSpec
from goldsmith.settings import Settings

HOME = "/opt/goldsmith"
"""The project's folder in the image."""
FORWARDED = ("AWS_ENDPOINT_URL_S3", "AWS_REGION", "HIVE_METASTORE_URIS")
"""Environment variables that are forwarded to a driver on another machine. None of them is a secret."""
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

_SECRET = re.compile(r"(?i)secret|password|token|credential|access[._]?key")


@dataclass(frozen=True)
class Pods:
    """Settings for Kubernetes. secret: a Secret with KEYS under these names. executors: their number."""

    image: str | None = None
    namespace: str = "default"
    service_account: str | None = None
    secret: str | None = None
    template: str | None = None
    executors: int = 2


@dataclass(frozen=True)
class SubmitRequest:
    """A job to submit. job: a Python file. master, deploy_mode: by default the profile's, or what the master needs."""

    job: str
    arguments: tuple[str, ...] = ()
    master: str | None = None
    deploy_mode: str | None = None
    name: str | None = None
    conf: Mapping[str, str] = field(default_factory=dict)
    pods: Pods = field(default_factory=Pods)


@dataclass(frozen=True)
class Submission:
    """A spark-submit command, and its additional environment variables."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def submission(
    root: Path, profile_name: str, profile: ProfileSpec, request: SubmitRequest, settings: Settings
) -> Submission:
    """Builds the command. Its arguments contain no secrets: processes read them from their environment.

    Raises DeclarationError GS504 for an unknown job or options that the master does not support; NotReady GS901
    without Java, GS902 without the pinned jars if the driver runs here.
    """
    master = request.master or profile.spark.master
    mode = _deploy_mode(master, request.deploy_mode)
    remote_driver = mode == "cluster"
    conf = {key: _text(value) for key, value in profile.spark.conf.items()}
    conf |= _pods(request.pods, remote_driver=remote_driver) if master.startswith("k8s://") else {}
    environment = _environment(root, profile_name, profile, settings, master)
    if not runs_here(master):
        conf |= _forwarded(master, profile_name, remote_driver=remote_driver)
    options = light_options(profile) if remote_driver else java_options(profile, settings)
    command = [str(spark_jars().parent / "bin" / "spark-submit"), "--master", master, "--deploy-mode", mode]
    if request.name is not None:
        command += ["--name", request.name]
    if profile.spark.conf_dir is None:
        command += [
            "--properties-file",
            str(files("goldsmith.engine.launch").joinpath("spark-defaults.conf")),
        ]
    command += ["--driver-memory", profile.spark.memory, "--driver-java-options", " ".join(options)]
    # An image has the jars in Spark's own folder.
    jars = [] if remote_driver and master.startswith("k8s://") else additional_jars(profile, settings)
    if jars and not remote_driver:
        command += ["--driver-class-path", os.pathsep.join(map(str, jars))]
    if jars and not runs_here(master):
        command += ["--jars", ",".join(map(str, jars))]
    for key, value in sorted({**conf, **request.conf}.items()):
        if key in request.conf or not _SECRET.search(key) or "secretKeyRef" in key:
            command += ["--conf", f"{key}={value}"]
    command += [
        _job(root, request.job, in_image=remote_driver and master.startswith("k8s://")),
        *request.arguments,
    ]
    return Submission(tuple(command), environment)


def _deploy_mode(master: str, requested: str | None) -> str:
    if requested == "cluster" and not master.startswith(("k8s://", "yarn")):
        raise DeclarationError(
            "GS504",
            f"A Python job cannot be submitted to {master} in cluster mode.",
            hint="Remove --deploy-mode: the driver runs here, or in the `jobs` service (`make submit`).",
        )
    return requested or ("cluster" if master.startswith("k8s://") else "client")


def _environment(
    root: Path, profile_name: str, profile: ProfileSpec, settings: Settings, master: str
) -> dict[str, str]:
    home = find_java(settings).resolve().parent.parent
    wanted = {
        "JAVA_HOME": os.environ.get("JAVA_HOME", str(home)),
        "SPARK_HOME": str(spark_jars().parent),
        "GOLDSMITH_PROJECT": str(root),
        "GOLDSMITH_PROFILE": profile_name,
    }
    if profile.spark.conf_dir is not None:
        wanted["SPARK_CONF_DIR"] = profile.spark.conf_dir
    if "PYSPARK_PYTHON" not in os.environ:
        # Executors on other machines have their own Python.
        wanted["PYSPARK_PYTHON" if runs_here(master) else "PYSPARK_DRIVER_PYTHON"] = sys.executable
    return wanted


def _forwarded(master: str, profile_name: str, *, remote_driver: bool) -> dict[str, str]:
    """Environment variables for executors, and for a driver on another machine."""
    values = {name: os.environ[name] for name in FORWARDED if name in os.environ}
    found = {f"spark.executorEnv.{name}": value for name, value in values.items()}
    if remote_driver:
        prefix = "spark.kubernetes.driverEnv" if master.startswith("k8s://") else "spark.yarn.appMasterEnv"
        own = {**values, "GOLDSMITH_PROFILE": profile_name}
        found |= {f"{prefix}.{name}": value for name, value in own.items()}
    return found


def _pods(pods: Pods, *, remote_driver: bool) -> dict[str, str]:
    if pods.image is None:
        raise DeclarationError(
            "GS504", "Kubernetes needs an image.", hint="Add it: `--image registry/goldsmith/spark:4.1.4`."
        )
    conf = {
        "spark.kubernetes.container.image": pods.image,
        "spark.kubernetes.namespace": pods.namespace,
        "spark.executor.instances": str(pods.executors),
    }
    if pods.service_account is not None:
        conf["spark.kubernetes.authenticate.driver.serviceAccountName"] = pods.service_account
    kinds = ("driver", "executor") if remote_driver else ("executor",)
    for kind in kinds:
        if pods.secret is not None:
            conf |= {f"spark.kubernetes.{kind}.secretKeyRef.{key}": f"{pods.secret}:{key}" for key in KEYS}
        if pods.template is not None:
            conf[f"spark.kubernetes.{kind}.podTemplateFile"] = pods.template
    return conf


def _job(root: Path, job: str, *, in_image: bool) -> str:
    """The path of a job: the file itself, else one in the project's jobs/; in an image, its path there."""
    if "://" in job:
        return job
    candidates = [Path(job), root / "jobs" / job, root / "jobs" / f"{job}.py"]
    path = next((path.resolve() for path in candidates if path.is_file()), None)
    if path is None:
        known = sorted(str(found.relative_to(root / "jobs")) for found in (root / "jobs").rglob("*.py"))
        raise DeclarationError(
            "GS504", f"There is no job `{job}`.", hint=f"Jobs in jobs/: {', '.join(known) or 'none'}."
        )
    if not in_image:
        return str(path)
    if not path.is_relative_to(root.resolve()):
        raise DeclarationError(
            "GS504",
            f"{path} is not in the project, and therefore not in the image.",
            hint="Move it to jobs/ and build the image, or give a path that pods can read: local:///..., s3a://...",
        )
    return f"local://{HOME}/{path.relative_to(root.resolve()).as_posix()}"


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
