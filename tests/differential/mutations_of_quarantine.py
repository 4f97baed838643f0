"""Mutations of the quarantine: storage, re-evaluation and release."""

from __future__ import annotations

from differential.mutation import Mutation

VALUES = "a released row has its original values and types"
DERIVED = "a row is released into a table with types from its query"
ONCE = "a quarantined row that a load re-evaluates is counted once"
CORRECTED = "a changed type of bronze is reported at once, also by a release"

ORIGINALS = "goldsmith/engine/delta/original_rows.py"
RELEASE = "goldsmith/run/release.py"
TESTS = "tests/spark/test_quarantine_values.py"
RELEASED = f"{TESTS}::test_released_values_equal_the_delivered_ones"
FROM_QUERY = f"{TESTS}::test_rows_are_released_into_tables_with_types_from_the_query"
RANGES = "tests/spark/test_literals.py::test_range_includes_its_values_and_lists_few_days"
RE_EVALUATED = f"{TESTS}::test_entries_are_re_evaluated_by_typed_keys_and_counted_once"
REPORTED = f"{TESTS}::test_changed_type_of_bronze_is_reported_before_the_next_file"

RETURNED = "            value = value if back == storage_type(column.dataType) else value.cast(back)\n"


def _through(condition: str, passed: str) -> str:
    return f"            value = {passed} if {condition} else value.cast(back)\n"


QUARANTINE: tuple[Mutation, ...] = (
    Mutation(
        VALUES,
        "released values are read from the row's JSON text",
        ORIGINALS,
        RETURNED,
        """            value = F.get_json_object("row", f"$.{column.name}").cast(back)\n""",
        RELEASED,
    ),
    Mutation(
        VALUES,
        "released decimals pass through double",
        ORIGINALS,
        RETURNED,
        _through('back.typeName() == "decimal"', 'value.cast("double").cast(back)'),
        RELEASED,
    ),
    Mutation(
        VALUES,
        "released bytes pass through base64 text",
        ORIGINALS,
        RETURNED,
        _through("isinstance(back, BinaryType)", "F.base64(value).cast(back)"),
        RELEASED,
    ),
    Mutation(
        VALUES,
        "released variants are strings",
        ORIGINALS,
        RETURNED,
        _through("isinstance(back, VariantType)", "F.to_json(value).cast(back)"),
        RELEASED,
    ),
    Mutation(
        VALUES,
        "maps are stored as text",
        ORIGINALS,
        "            return MapType(storage_type(kind.keyType), storage_type(kind.valueType))\n",
        "            return StringType()\n",
        RELEASED,
    ),
    Mutation(
        VALUES,
        "values that could not be cast are stored after the cast",
        "goldsmith/engine/delta/quarantine.py",
        "    cast = before.fieldNames()\n",
        "    cast: list[str] = []\n",
        f"{TESTS}::test_quarantine_show_prints_the_original_row_with_exact_numbers "
        "tests/spark/test_append.py::test_released_rows_are_written_once",
    ),
    Mutation(
        VALUES,
        "numbers of quarantined rows are shown as doubles",
        "goldsmith/cli/quarantine.py",
        """                    "row": json.loads(row.row, parse_float=_exact),\n""",
        """                    "row": json.loads(row.row),\n""",
        f"{TESTS}::test_quarantine_show_prints_the_original_row_with_exact_numbers",
    ),
    Mutation(
        DERIVED,
        "released rows of tables with a query are text",
        "goldsmith/run/sources/upstreams.py",
        "        shaped = shape(frame, types)\n",
        "        texts = [f'CAST(`{n}` AS string) AS `{n}`' if n in types else n for n in frame.columns]\n"
        "        shaped = shape(frame.selectExpr(*texts), {})\n",
        FROM_QUERY,
    ),
    Mutation(
        DERIVED,
        "a merge bounds its keys by their text",
        "goldsmith/engine/row_literals.py",
        """    low, high = (f"{function}({column}) {restricted}" for function in ("min", "max"))\n""",
        """    text = f"CAST({column} AS string)"\n"""
        """    low, high = (f"{function}({text}) {restricted}" for function in ("min", "max"))\n""",
        RANGES,
    ),
    Mutation(
        DERIVED,
        "the newest row has the greatest text",
        "goldsmith/engine/delta/merging.py",
        """    order = ", ".join(quoted(name) for name in load.newest_by)\n""",
        """    order = ", ".join(f"CAST({quoted(name)} AS string)" for name in load.newest_by)\n""",
        FROM_QUERY,
    ),
    Mutation(
        ONCE,
        "keys of quarantined rows are compared by the text of their JSON",
        "goldsmith/run/reevaluated.py",
        """                F.col(quoted(name)).eqNullSafe(F.col(f"_gs_key_{at}")) for at, name in enumerate(names)\n""",
        """        F.get_json_object(F.to_json(F.struct(F.col(quoted(name)).alias("v"))), "$.v").eqNullSafe(\n"""
        """            F.col(f"_gs_key_{at}").cast("string")\n"""
        """        )\n"""
        """        for at, name in enumerate(names)\n""",
        RE_EVALUATED,
    ),
    Mutation(
        ONCE,
        "quarantined rows that a load re-evaluates are not removed",
        "goldsmith/run/attempt.py",
        "judged.frame, entry_columns(judged), run.entry_batch(plan.counter), removed=removed\n",
        "judged.frame, entry_columns(judged), run.entry_batch(plan.counter), removed=()\n",
        RE_EVALUATED,
    ),
    Mutation(
        CORRECTED,
        "a release does not check for changed types",
        RELEASE,
        "    check_types_unchanged(table, log, bookmark, planner_of(table).type_change_hint(table))\n",
        "",
        REPORTED,
    ),
    Mutation(
        CORRECTED,
        "a changed type of bronze is detected only with the next file",
        "goldsmith/run/planners/files.py",
        "            self.changed_declaration(table, handle.log, bookmark)\n",
        "            pass\n",
        REPORTED,
    ),
    Mutation(
        CORRECTED,
        "check does not compare the types of bronze tables",
        "goldsmith/run/changed_types.py",
        "        if declared is not None and current is not None and declared != current:\n",
        "        if False:\n",
        "tests/unit/test_changed_types.py",
    ),
    Mutation(
        CORRECTED,
        "check reads the oldest version of a table",
        "goldsmith/run/changed_types.py",
        "sums[-1].read_text",
        "sums[0].read_text",
        "tests/unit/test_changed_types.py",
    ),
    Mutation(
        CORRECTED,
        "the check command does not report changed types",
        "goldsmith/cli/check.py",
        "    notes = [*declaration_notes(project), *changed_types(project, project.profile(profile_name()).warehouse)]\n",
        "    notes = declaration_notes(project)\n",
        "tests/unit/test_changed_types.py",
    ),
)
