"""Mutations of change detection and incremental loads."""

from __future__ import annotations

from differential.mutation import Mutation

MISSED = "an incremental load gives the same rows as a rebuild"
FOREIGN = "changes outside Goldsmith are detected"
STOPS = "a load does not fail where a rebuild succeeds, and remains incremental"

MERGE = "goldsmith/run/loads/merge.py"
UPSTREAMS = "goldsmith/run/planners/upstreams.py"
TABLES = "goldsmith/project/tables.py"
LOG = "goldsmith/engine/delta/log.py"
FOREIGN_TESTS = "tests/spark/test_foreign.py"
LOOKUPS = "tests/spark/test_lookups.py"

LOADS: tuple[Mutation, ...] = (
    Mutation(
        MISSED,
        "removed rows do not reach a merge",
        MERGE,
        "        if changes.removed is not None:\n            touched =",
        "        if False:\n            touched =",
        "tests/spark/test_merge.py::test_late_rows_and_deletes_update_their_keys",
    ),
    Mutation(
        MISSED,
        "a changed lookup does not rebuild",
        UPSTREAMS,
        '    if lookups:\n        return "rebuild"',
        '    if False:\n        return "rebuild"',
        f"{LOOKUPS}::test_changed_lookup_rebuilds_unless_declared_as_loaded",
    ),
    Mutation(
        MISSED,
        "a reference that also drives does not rebuild",
        UPSTREAMS,
        "    deciding_references = [name for name in drivers if name in table.deciding_references]\n",
        "    deciding_references: list[str] = []\n",
        f"{LOOKUPS}::test_reference_to_the_driver_gives_the_same_rows_as_a_rebuild",
    ),
    Mutation(
        MISSED,
        "a table may reference itself",
        TABLES,
        "return (*self.upstreams, *self.referenced)",
        "return (*self.upstreams, *(name for name in self.referenced if name != self.name))",
        "tests/unit/test_definition.py",
    ),
    Mutation(
        MISSED,
        "a removed exception does not rebuild",
        TABLES,
        "return content == self._content and self.exceptions.issuperset(exceptions)",
        "return content == self._content",
        "tests/unit/test_definition.py",
    ),
    Mutation(
        MISSED,
        "changes do not distinguish -0.0 and 0.0",
        "goldsmith/engine/delta/changes.py",
        "    forms = {field.name: grouping_form(quoted(field.name), field.dataType) for field in fields}",
        "    forms = {field.name: quoted(field.name) for field in fields}",
        f"{FOREIGN_TESTS}::test_one_bit_is_a_change_and_equal_rows_cancel_out",
    ),
    Mutation(
        MISSED,
        "-0.0 and 0.0 have the same hash",
        "goldsmith/engine/row_values.py",
        "        if isinstance(field.dataType, FloatType | DoubleType):\n",
        "        if False:\n",
        f"{FOREIGN_TESTS}::test_row_hash_distinguishes_zeros_and_nested_maps",
    ),
    Mutation(
        FOREIGN,
        "a foreign append during a load is not detected",
        LOG,
        "        return {other.operation for other in between if other.added or other.removed}",
        "        return set()",
        f"{FOREIGN_TESTS}::test_foreign_commit_is_detected_after_maintenance",
    ),
    Mutation(
        FOREIGN,
        "the base of a commit is not compared",
        LOG,
        "        base = commit.base if commit.base is not None else commit.version - 1\n",
        "        base = commit.version - 1\n",
        f"{FOREIGN_TESTS}::test_foreign_commit_is_detected_after_maintenance",
    ),
    Mutation(
        STOPS,
        "a schema change upstream is read as row changes",
        UPSTREAMS,
        "        if schema_changes:\n",
        "        if False:\n",
        "tests/spark/test_altered.py::test_changed_type_causes_full_loads_downstream",
    ),
    Mutation(
        STOPS,
        "keys are not spelt as in the query",
        "goldsmith/project/spelling.py",
        "    return tuple(known.get(name.lower(), name) for name in names)",
        "    return names",
        "tests/unit/test_definition.py",
    ),
    Mutation(
        STOPS,
        "an invalid query is considered a bad value",
        "goldsmith/engine/conditions.py",
        'condition.partition(".")[0] in _OF_VALUES.split()',
        'condition.startswith("INVALID_")',
        "tests/unit/test_failures.py",
    ),
)
