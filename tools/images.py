"""The images of the containers: finding missing ones, pulling them, building our own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waiting import built

SHOWN = 30
"""The number of lines printed of a failed build."""

_OTHERWISE: Mapping[str, tuple[str, str]] = {
    "minio": (
        "S3_IMAGE",
        "or use a store elsewhere: docs/compose.md#another-s3-store",
    ),
    "postgres": ("POSTGRES_IMAGE", "any PostgreSQL 15 image with the public image's variables works"),
    "dqops": (
        "DQOPS_IMAGE",
        "or run without DQOps: remove `dqops` from COMPOSE_PROFILES in .env, and set `DQOPS_URL=`",
    ),
    "reports": ("PROXY_IMAGE", "any nginx 1.18 or later works"),
}
"""The variable of a service's image, and the alternative if the image cannot be pulled."""
_BASE = ("BASE_IMAGE", "any Debian 12 image with Python 3.11 works")


class ImageMissingError(Exception):
    """Images are neither present nor can they be pulled. The message names them and the alternatives."""


@dataclass(frozen=True)
class Image:
    """A public image. variable: of .env, to set another image. otherwise: the alternative."""

    name: str
    variable: str = ""
    otherwise: str = ""


def configuration(compose: Sequence[str]) -> Mapping[str, Any]:
    """The services of the enabled profiles, with all variables replaced. It contains secrets: never print it."""
    ended = subprocess.run(
        [*compose, "config", "--format", "json"], capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        raise ImageMissingError(ended.stderr.strip())
    services: Mapping[str, Any] = json.loads(ended.stdout)["services"]
    return services


def public(services: Mapping[str, Any]) -> list[Image]:
    """The images to pull, each once: those of services that are not built, and the base images of ours."""
    found: dict[str, Image] = {}
    for name, service in services.items():
        build = service.get("build")
        if build:
            base = (build.get("args") or {}).get("BASE_IMAGE")
            if base:
                found.setdefault(base, Image(base, *_BASE))
        elif service["image"] not in found or name in _OTHERWISE:
            found[service["image"]] = Image(service["image"], *_OTHERWISE.get(name, ("", "")))
    return list(found.values())


def own(services: Mapping[str, Any]) -> dict[str, str]:
    """The images that are built here, in build order, each with one of its services."""
    order = {"spark": 0, "airflow": 1}
    found: dict[str, str] = {}
    for name, service in services.items():
        if service.get("build"):
            found.setdefault(service["image"], name)
    target = {image: str(services[name]["build"].get("target")) for image, name in found.items()}
    return dict(sorted(found.items(), key=lambda item: order.get(target[item[0]], 2)))


def pull(docker: str, images: Sequence[Image]) -> None:
    """Pulls the missing images. Raises ImageMissingError, which names all that cannot be pulled."""
    failed: list[str] = []
    for image in images:
        if _is_present(docker, image.name):
            continue
        print(f"Pulling {image.name}.", flush=True)
        words = [docker, "pull", *(() if sys.stdout.isatty() else ("--quiet",)), image.name]
        ended = subprocess.run(words, stdout=None, stderr=subprocess.PIPE, text=True, check=False)
        if ended.returncode != 0:
            failed.append(_failure(image, ended.stderr))
    if failed:
        raise ImageMissingError("\n".join(failed))


def build(compose: Sequence[str], images: Mapping[str, str]) -> int:
    """Builds our own images one after the other. Prints the last lines of a failed build and returns its exit code."""
    for image, service in images.items():
        print(f"Building {image} (minutes the first time, then seconds).", flush=True)
        ended = built([*compose, "--progress", "plain", "build", service])
        if ended.code != 0:
            print("\n".join(ended.output[-SHOWN:]), file=sys.stderr)
            print(f"{image} was not built; the last lines of its build are above.", file=sys.stderr)
            return ended.code
        print(f"  built in {ended.seconds:.0f} s", flush=True)
    return 0


def _is_present(docker: str, name: str) -> bool:
    words = [docker, "image", "inspect", "--format", "{{.Id}}", name]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _failure(image: Image, output: str) -> str:
    reason = ([line for line in output.strip().splitlines() if line.strip()] or ["no reason given"])[-1]
    lines = [
        f"The image {image.name} cannot be pulled: {reason.removeprefix('Error response from daemon: ')}"
    ]
    lines.append(
        "  Check the network and `docker login`, or load the image with `docker load`, then run `make up` again;"
    )
    if image.variable:
        lines.append(f"  or set {image.variable} in .env to an image that is available ({image.otherwise}).")
    return "\n".join(lines)
