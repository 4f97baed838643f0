"""The spark-submit call of a job: its exact arguments, without secrets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from goldsmith.cli.options import shared_first
from goldsmith.engine.launch.submit import Pods, Submission, SubmitRequest, submission
from goldsmith.errors import DeclarationError
from goldsmith.project.models import ProfileSpec, SparkSpec
from goldsmith.settings import Settings

K8S = "k8s://https://10.0.0.1:6443"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one job, beside a Spark with the jars in its own folder."""
    for name in (
        "PYSPARK_PYTHON",
        "SPARK_CONF_DIR",
        "AWS_ENDPOINT_URL_S3",
        "AWS_REGION",
        "HIVE_METASTORE_URIS",
    ):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/run.py").write_text("")
    (tmp_path / "conf").mkdir()
    return tmp_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    from goldsmith.engine.launch.compiled_jars import LOG_STORE
    from goldsmith.engine.launch.jars import pinned

    jars = tmp_path / "kept"
    jars.mkdir()
    for name in (*(jar.file for jar in pinned("delta", "s3")), LOG_STORE.file):
        (jars / name).write_text("")
    return Settings.from_environment({"GOLDSMITH_JARS": str(jars), "XDG_CACHE_HOME": str(tmp_path)})


def made(root: Path, settings: Settings, request: SubmitRequest, **spark: object) -> Submission:
    s3 = {"landing": "s3a://lake/landing", "warehouse": "s3a://lake/warehouse"}
    locations = s3 if spark.get("conf_dir") else {}
    profile = ProfileSpec(**locations, spark=SparkSpec(**spark))  # type: ignore[arg-type]
    return submission(root, "cluster", profile, request, settings)


def options(found: Submission) -> list[tuple[str, str]]:
    """The options and their values, without program, job and the job's arguments."""
    words = [*found.command[1:]]
    pairs = []
    while words and words[0].startswith("--"):
        pairs.append((words.pop(0), words.pop(0)))
    return pairs


def settings_of(found: Submission) -> dict[str, str]:
    return dict(value.split("=", 1) for option, value in options(found) if option == "--conf")


def test_local_master_runs_only_the_driver(root: Path, settings: Settings) -> None:
    found = made(
        root, settings, SubmitRequest("run", ("flights", "--from", "2013-01-01"), name="a run"), light=False
    )
    given = dict(options(found))
    jars = given.pop("--driver-class-path").split(":")
    assert [Path(jar).name for jar in jars] == ["delta-spark_4.1_2.13-4.4.0.jar", "delta-storage-4.4.0.jar"]
    assert given.pop("--driver-java-options").startswith("-Dlog4j2.configurationFile=file:///")
    assert given.pop("--properties-file").endswith("goldsmith/engine/launch/spark-defaults.conf")
    assert given == {
        "--master": "local[*]",
        "--deploy-mode": "client",
        "--name": "a run",
        "--driver-memory": "2g",
    }
    assert found.command[-4:] == (str(root / "jobs/run.py"), "flights", "--from", "2013-01-01")
    assert found.environment["PYSPARK_PYTHON"] == sys.executable
    assert found.environment["GOLDSMITH_PROFILE"] == "cluster"


def test_standalone_master_gets_jars_for_its_executors(
    root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://store:9000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    found = made(
        root,
        settings,
        SubmitRequest("run", master="spark://m:7077"),
        conf_dir=str(root / "conf"),
        conf={"spark.x": True},
    )
    given = dict(options(found))
    assert given["--master"] == "spark://m:7077"
    assert given["--jars"].split(",") == given["--driver-class-path"].split(":")
    assert "--properties-file" not in given
    assert found.environment["SPARK_CONF_DIR"] == str(root / "conf")
    assert "PYSPARK_PYTHON" not in found.environment
    assert settings_of(found) == {
        "spark.x": "true",
        "spark.executorEnv.AWS_ENDPOINT_URL_S3": "http://store:9000",
    }
    assert "hush" not in str(found)


def test_kubernetes_driver_is_a_pod_with_keys_from_a_secret(root: Path, settings: Settings) -> None:
    pods = Pods("registry/spark:1", "lake", "spark", "lake-keys", "pod.yaml", executors=3)
    found = made(
        root, settings, SubmitRequest("run", ("silver",), K8S, pods=pods), conf_dir=str(root / "conf")
    )
    given = dict(options(found))
    assert (given["--master"], given["--deploy-mode"]) == (K8S, "cluster")
    assert "--jars" not in given
    assert "log4j2" not in given["--driver-java-options"]
    assert found.command[-2:] == ("local:///opt/goldsmith/jobs/run.py", "silver")
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert settings_of(found) == {
        "spark.executor.instances": "3",
        "spark.kubernetes.namespace": "lake",
        "spark.kubernetes.container.image": "registry/spark:1",
        "spark.kubernetes.authenticate.driver.serviceAccountName": "spark",
        "spark.kubernetes.driver.podTemplateFile": "pod.yaml",
        "spark.kubernetes.executor.podTemplateFile": "pod.yaml",
        "spark.kubernetes.driverEnv.GOLDSMITH_PROFILE": "cluster",
        **{
            f"spark.kubernetes.{kind}.secretKeyRef.{key}": f"lake-keys:{key}"
            for kind in ("driver", "executor")
            for key in keys
        },
    }


def test_kubernetes_driver_may_run_locally(root: Path, settings: Settings) -> None:
    request = SubmitRequest("run", (), K8S, "client", pods=Pods("registry/spark:1", secret="lake-keys"))
    found = made(root, settings, request)
    assert found.command[-1] == str(root / "jobs/run.py")
    assert {key for key in settings_of(found) if "secretKeyRef" in key} == {
        "spark.kubernetes.executor.secretKeyRef.AWS_ACCESS_KEY_ID",
        "spark.kubernetes.executor.secretKeyRef.AWS_SECRET_ACCESS_KEY",
    }


def test_yarn_may_run_the_driver(root: Path, settings: Settings) -> None:
    conf = {"spark.yarn.appMasterEnv.GOLDSMITH_PROJECT": "./project"}
    found = made(root, settings, SubmitRequest("run", (), "yarn", "cluster", conf=conf))
    given = dict(options(found))
    assert given["--deploy-mode"] == "cluster"
    assert "--driver-class-path" not in given
    assert "delta-spark" in given["--jars"]
    assert settings_of(found) == {**conf, "spark.yarn.appMasterEnv.GOLDSMITH_PROFILE": "cluster"}


def test_secrets_of_a_profile_are_not_passed(root: Path, settings: Settings) -> None:
    conf = {"spark.hadoop.fs.s3a.secret.key": "hush", "spark.hadoop.fs.s3a.access.key": "me"}
    found = made(root, settings, SubmitRequest("run"), conf=conf)
    assert settings_of(found) == {}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SubmitRequest("nosuch"), "There is no job `nosuch`"),
        (SubmitRequest("run", master="spark://m:7077", deploy_mode="cluster"), "cannot be submitted"),
        (SubmitRequest("run", master=K8S), "Kubernetes needs an image"),
        (SubmitRequest(__file__, master=K8S, pods=Pods("i")), "is not in the project"),
    ],
    ids=["no job", "standalone cluster mode", "no image", "not in the image"],
)
def test_invalid_call_is_refused(
    root: Path, settings: Settings, request_: SubmitRequest, message: str
) -> None:
    with pytest.raises(DeclarationError, match=message) as raised:
        made(root, settings, request_)
    assert raised.value.code == "GS504"
    assert raised.value.hint


def test_shared_options_may_follow_the_command() -> None:
    assert shared_first(["run", "--profile", "cluster", "a", "--verbose"]) == [
        "--profile",
        "cluster",
        "--verbose",
        "run",
        "a",
    ]
    assert shared_first(["sql", "--project=x", "--", "--profile"]) == [
        "--project=x",
        "sql",
        "--",
        "--profile",
    ]


def test_arguments_after_submit_belong_to_the_job() -> None:
    called = ["--profile", "p", "job", "submit", "my.py", "--verbose", "--project", "x"]
    assert shared_first(called) == called
