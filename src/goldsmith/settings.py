"""Paths and addresses of this machine, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of the machine that are not part of a project.

    cache: the folder of downloads. maven_repository: the Maven repository for jars.
    ivy_settings: an Ivy settings file to use instead. java_home: the preferred JDK. jars: a folder with all jars.
    """

    cache: Path
    maven_repository: str
    ivy_settings: Path | None
    java_home: Path | None
    jars: Path | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads GOLDSMITH_CACHE (default: XDG_CACHE_HOME or ~/.cache), GOLDSMITH_MAVEN_REPOSITORY,
        GOLDSMITH_IVY_SETTINGS, GOLDSMITH_JARS and JAVA_HOME."""
        env = os.environ if environment is None else environment
        base = env.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        ivy = env.get("GOLDSMITH_IVY_SETTINGS")
        java = env.get("JAVA_HOME")
        jars = env.get("GOLDSMITH_JARS")
        return cls(
            cache=Path(env.get("GOLDSMITH_CACHE") or Path(base) / "goldsmith"),
            maven_repository=env.get("GOLDSMITH_MAVEN_REPOSITORY", "https://repo.maven.apache.org/maven2/"),
            ivy_settings=Path(ivy) if ivy else None,
            java_home=Path(java) if java else None,
            jars=Path(jars) if jars else None,
        )
