"""Commands and options named in documentation, messages, scripts and tests exist."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from goldsmith.cli.groups import commands_of
from goldsmith.cli.main import app

ROOT = Path(__file__).parents[2]

SUFFIXES = {
    *("", ".conf", ".css", ".html", ".ini", ".j2", ".java", ".js", ".md", ".properties", ".py", ".sh"),
    *(".sql", ".toml", ".xml", ".yaml"),
}
GENERATED = {"dqops_userhome", "superset/assets", "schema"}

LIST = re.compile(r"""["'],\s+(?:\*\()?["']""")
"""Separator between two words of a command written as a list, as in `"goldsmith", "run"`."""

NAMED = re.compile(
    r"(?<![\w.'-])(?<!from )(?<!src/)goldsmith((?: (?:--project|-p|--profile) \S+| --verbose)*)"
    r"((?: [a-z][a-z-]*(?![\w./=-]))+)([^`\n]*)"
)
"""A command: options before it, its words, and the text after it up to the end of the code."""

OTHERS = {"comment", "maintenance", "money"}
"""Words after `goldsmith` that are no commands: tags of DAGs, a key of DQOps."""

OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")


def files() -> Iterator[Path]:
    """The project's text files, except generated ones."""
    for folder, names, found in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        names[:] = [
            name
            for name in names
            if (name == ".ci" or not name.startswith((".", "_", "node_modules")))
            and str(here / name) not in GENERATED
        ]
        for name in found:
            is_text = Path(name).suffix in SUFFIXES and not name.startswith(".")
            if is_text and Path(folder, name) != Path(__file__):
                yield Path(folder, name)


def options() -> dict[str, set[str]]:
    """Each command, such as `table show`, with its options; each noun without options."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    shared = {"--project", "--profile", "--verbose", "--help"}
    known: dict[str, set[str]] = {
        name: {*shared, *(text for item in command.params for text in (*item.opts, *item.secondary_opts))}
        for name, command in commands_of(root)
    }
    return known | {name: {"--help"} for name, command in root.commands.items() if name not in known}


FILES = sorted(files())
KNOWN = options()


def unknown(text: str) -> Iterator[str]:
    """The commands in a text that do not exist or lack an option."""
    for match in NAMED.finditer(LIST.sub(" ", text).replace('goldsmith("', "goldsmith ")):
        words = match[2].split()
        if words[0] in OTHERS:
            continue
        pair = " ".join(words[:2])
        name = pair if pair in KNOWN else words[0]
        is_alone = len(words) == 1 and not match[3].startswith(" ")
        is_whole = name in KNOWN and (" " in name or is_alone or not verbs(name))
        # The job gets the arguments after its name.
        is_open = name == "job submit" or (is_alone and verbs(name))
        given = [] if is_open else OPTION.findall(match[3])
        if not is_whole or not set(given) <= KNOWN[name]:
            yield match[0]


def verbs(noun: str) -> bool:
    """Whether a name is a noun, that is, no command by itself."""
    return any(name.startswith(f"{noun} ") for name in KNOWN)


@pytest.mark.parametrize("folder", sorted({file.relative_to(ROOT).parts[0] for file in FILES}))
def test_named_commands_exist(folder: str) -> None:
    found = [file for file in FILES if file.relative_to(ROOT).parts[0] == folder]
    assert found
    wrong = {
        f"{file.relative_to(ROOT)}: {call}"
        for file in found
        for call in unknown(file.read_text(encoding="utf-8"))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        ("`goldsmith run flights --from 2013-01-01`", True),
        ("goldsmith --profile cluster table show gold.x --limit 5", True),
        ('["goldsmith", "superset", "push"]', True),
        ("the verbs of `goldsmith quarantine`", True),
        ("`goldsmith job submit run.py --top 5`", True),
        ("`goldsmith show gold.x`", False),
        ('goldsmith("show", "gold.x")', False),
        (".venv/bin/goldsmith table shwo gold.x", False),
        ('["goldsmith", "push", "superset"]', False),
        ("goldsmith quarantine silver.x", False),
        ("`goldsmith run --form 2013-01-01`", False),
    ],
)
def test_old_or_misspelt_command_is_detected(text: str, is_known: bool) -> None:
    assert (list(unknown(text)) == []) == is_known


@pytest.mark.parametrize("job", sorted((ROOT / "jobs").glob("*.py")), ids=lambda job: job.name)
def test_each_job_runs_an_existing_command(job: Path) -> None:
    (words,) = re.findall(r'run\(\["(.*)", \*sys.argv', job.read_text(encoding="utf-8"))
    assert words.replace('", "', " ") in KNOWN
