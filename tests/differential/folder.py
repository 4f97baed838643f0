"""A case as a readable and runnable folder: declarations, files by step, and a list of steps."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from differential import copying
from differential.batches import content, packed
from differential.case import Case, Declared
from differential.failing import Failed

_RUN = """#!/usr/bin/env bash
# Plays this case step by step in a temporary folder and prints the failure.
# The project remains in the printed folder, for `goldsmith plan`, `table show` and `sql`.
cd "$(dirname "$0")" || exit
exec {python} -m differential.replay case.json "$@"
"""


def write_folder(case: Case, failed: Failed | None, folder: Path) -> Path:
    """Writes the case below `folder`: case.json to run, the other files to read."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "case.json").write_text(case.as_json(), encoding="utf-8")
    (folder / "goldsmith.yaml").write_text("name: differential\n")
    lines = [f"# Seed {case.seed}", ""]
    if failed is not None:
        lines += [
            f"{failed.kind} in {failed.table or 'the project'}:",
            "",
            "```text",
            failed.detail,
            "```",
            "",
        ]
    lines += ["Run `./run.sh`, or replay by hand:", ""]
    for name, declared in case.tables.items():
        _declaration(folder / "pipelines/p", name, declared)
    (folder / "pipelines/p/pipeline.yaml").write_text("description: A case.\n")
    (folder / copying.FILE).write_text(copying.MODULE)
    for number, step in enumerate(case.steps, 1):
        rest = {
            key: value for key, value in step.items() if key not in ("do", "records", "header", "as", "types")
        }
        lines.append(f"{number}. {step['do']} {rest}")
        step_folder = folder / f"step-{number:02}"
        if step["do"] == "deliver":
            file = step_folder / "landing" / step["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            text = content(step)
            if text is None:
                from differential.machine import write_typed

                write_typed(step, file)
            else:
                file.write_bytes(packed(text, file.name))
        if step["do"] == "declare":
            _declaration(step_folder / "pipelines/p", step["table"], Declared.of(step["as"]))
    (folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = folder / "run.sh"
    run.write_text(_RUN.replace("{python}", "${PYTHON:-python}"))
    run.chmod(0o755)
    return folder


def _declaration(pipeline: Path, name: str, declared: Declared) -> None:
    base = pipeline / name.replace(".", "/")
    base.parent.mkdir(parents=True, exist_ok=True)
    base.with_suffix(".yaml").write_text(
        yaml.safe_dump(declared.yaml, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    if declared.sql is not None:
        base.with_suffix(".sql").write_text(declared.sql + "\n", encoding="utf-8")
