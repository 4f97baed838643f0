"""Finds a Java that Spark supports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from goldsmith.errors import NotReady
from goldsmith.settings import Settings

SUPPORTED = (17, 21)
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_RELEASE = re.compile(r'^JAVA_VERSION="(?:1\.)?(\d+)', re.MULTILINE)


def find_java(settings: Settings) -> Path:
    """The java executable for Spark: JAVA_HOME's, else the first on PATH.

    Raises NotReady GS901 if there is none, or its version is neither 17 nor 21.
    """
    if settings.java_home is not None:
        java = settings.java_home / "bin" / "java"
        if not java.exists():
            raise NotReady(
                "GS901", f"JAVA_HOME is {settings.java_home}, which has no bin/java.", hint=_install_hint()
            )
    else:
        found = shutil.which("java")
        if found is None:
            raise NotReady("GS901", "No Java was found.", hint=_install_hint())
        java = Path(found)
    version = _major_version(java)
    if version not in SUPPORTED:
        found_version = f"is Java {version}" if version else "reports no version"
        raise NotReady("GS901", f"{java} {found_version}; Spark needs a JDK 17 or 21.", hint=_install_hint())
    return java


def _major_version(java: Path) -> int | None:
    match = _RELEASE.search(_release(java))
    return int(match.group(1)) if match else _printed_version(java)


def _release(java: Path) -> str:
    """The text of the JDK's file `release`, which saves a start of Java."""
    try:
        return (java.resolve().parent.parent / "release").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _printed_version(java: Path) -> int | None:
    try:
        # `java -version` writes to stderr.
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return None
    match = _VERSION.search(done.stderr + done.stdout)
    return int(match.group(1)) if match else None


def _install_hint() -> str:
    if sys.platform == "darwin":
        install = "`brew install openjdk@17`"
    elif sys.platform == "win32":
        install = "`winget install EclipseAdoptium.Temurin.17.JDK`"
    else:
        names = {
            "apt-get": "`sudo apt-get install openjdk-17-jdk-headless`",
            "dnf": "`sudo dnf install java-17-openjdk-headless`",
            "pacman": "`sudo pacman -S jdk17-openjdk`",
            "zypper": "`sudo zypper install java-17-openjdk-headless`",
            "apk": "`sudo apk add openjdk17-jdk`",
        }
        install = next(
            (text for tool, text in names.items() if shutil.which(tool)), "a JDK 17 of your distribution"
        )
    other = " and set JAVA_HOME to it" if "JAVA_HOME" in os.environ else ""
    return f"Install a JDK 17 or 21 ({install}), or unpack one into any folder{other or ' and set JAVA_HOME to it'}."
