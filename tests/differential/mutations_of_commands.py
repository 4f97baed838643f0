"""Mutations of the statements, output and errors of commands."""

from __future__ import annotations

from differential.mutation import Mutation

READS = "`sql` and `table show` execute only queries"
SHOWN = "control characters in values are escaped"
REJECTED = "a load with most rows rejected is not reported as success"
FEEDS = "an error of a feed names its pipeline, day and line"
ERRORS = "an error is one line, with its location and a hint"

QUERIES = "goldsmith/engine/queries.py"
CONSOLE = "goldsmith/cli/console.py"
OUTCOME = "goldsmith/run/outcome.py"
PROGRESS = "goldsmith/cli/progress.py"
FEED = "goldsmith/run/feeding.py"
USER_CODE = "goldsmith/run/user_code.py"
FAILURES = "goldsmith/engine/failures.py"

WRITING = "tests/spark/test_asking.py::test_statement_other_than_a_read_is_refused_without_effect"
CONSOLE_TESTS = "tests/unit/test_console.py"
FEEDING = "tests/unit/test_feeding.py"
CLI = "tests/unit/test_cli.py"
RAISED = f"{FEEDING}::test_error_of_a_feed_names_pipeline_day_and_line"

COMMANDS: tuple[Mutation, ...] = (
    Mutation(
        READS,
        "statements not on a list of forbidden ones are executed",
        QUERIES,
        "        if kind not in allowed:\n",
        """        if kind.rpartition(".")[2] in ("DeleteFromTable", "InsertIntoStatement", "MergeIntoTable"):\n""",
        WRITING,
    ),
    Mutation(
        READS,
        "plans beside a plan's children are not checked",
        QUERIES,
        "        for inner in (node.children(), node.subqueries(), _beside(node)):\n",
        "        for inner in (node.children(),):\n",
        WRITING,
    ),
    Mutation(
        READS,
        "the analyzed plan is not checked",
        QUERIES,
        "        nodes = list(_nodes(analyzed))\n        _require(nodes, _QUERY)\n",
        "        nodes = list(_nodes(analyzed))\n",
        WRITING,
    ),
    Mutation(
        READS,
        "the plan of EXPLAIN is not checked",
        QUERIES,
        "    if query is None:\n        _require(nodes[1:], _NAMES)\n    else:\n",
        "    if query is None:\n        _require(nodes[1:], _NAMES)\n    elif query is plan:\n",
        WRITING,
    ),
    Mutation(
        READS,
        "functions that call Java are allowed",
        QUERIES,
        "        if any(_runs_code(node) for node in nodes):\n",
        "        if False:\n",
        WRITING,
    ),
    Mutation(
        SHOWN,
        "control characters are not escaped",
        CONSOLE,
        """    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)\n""",
        "    return text\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "control characters of eight bits are not escaped",
        CONSOLE,
        """    "[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\xad""",
        """    "[\\x00-\\x09\\x0b-\\x1f\\x7f\\xad""",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "text without a style is not escaped",
        CONSOLE,
        "        return super().render_str(visible(text), **options)\n",
        "        return super().render_str(text, **options)\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "text with a style is not escaped",
        CONSOLE,
        "else (visible(part[0]), part[1]) for part in parts)",
        "else part for part in parts)",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "values in tables are not escaped",
        CONSOLE,
        """    return visible(text).replace("\\n", "\\\\n")\n""",
        """    return text.replace("\\n", "\\\\n")\n""",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "values are parsed as markup",
        CONSOLE,
        "highlight=False, markup=False, emoji=False",
        "highlight=False, markup=True, emoji=False",
        CONSOLE_TESTS,
    ),
    Mutation(
        REJECTED,
        "no load is considered mostly rejected",
        OUTCOME,
        "    return 2 * (counts.quarantined + counts.dropped) > counts.rows_in\n",
        "    return False\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        REJECTED,
        "dropped rows are not counted as rejected",
        OUTCOME,
        "    return 2 * (counts.quarantined + counts.dropped) > counts.rows_in\n",
        "    return 2 * counts.quarantined > counts.rows_in\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        REJECTED,
        "one bad load among good ones is not reported",
        PROGRESS,
        "        if any(condition(commit) for commit in outcome.commits)\n",
        "        if outcome.commits and all(condition(commit) for commit in outcome.commits)\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        REJECTED,
        "the last line of a run does not count rejected rows",
        PROGRESS,
        """    return [*parts, "."] if parts else []\n""",
        "    return []\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        REJECTED,
        "a run has no warning of a mostly rejected load",
        "goldsmith/run/runner.py",
        "        (*loaded.warnings, *((rejected,) if rejected else ())),\n",
        "        loaded.warnings,\n",
        "tests/spark/test_asking.py::test_control_characters_in_quarantined_values_are_escaped",
    ),
    Mutation(
        REJECTED,
        "status does not report a mostly rejected load",
        "goldsmith/run/table_status.py",
        """    return f"In its last load {found}" if found else None\n""",
        "    return None\n",
        "tests/spark/test_asking.py::test_control_characters_in_quarantined_values_are_escaped",
    ),
    Mutation(
        FEEDS,
        "an error of a feed is a defect",
        FEED,
        "        except GoldsmithError:\n            raise\n        except (Exception, SystemExit) as error:\n",
        "        except GoldsmithError:\n            raise\n        except ValueError as error:\n",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "an error of a feed does not name the day",
        FEED,
        """                f"failed on {day}: {one_line(error)}",\n""",
        """                f"failed: {one_line(error)}",\n""",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "an error about a path does not name the day",
        FEED,
        """    message = f"{whose} failed on {day}. {error.message}"\n""",
        """    message = f"{whose} failed. {error.message}"\n""",
        f"{FEEDING}::test_unusable_feed_is_reported_with_its_file",
    ),
    Mutation(
        FEEDS,
        "an error of a feed names a line of Python's library",
        USER_CODE,
        "        if path.is_absolute() and path.resolve().is_relative_to(folder):\n",
        "        if path.is_absolute():\n",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "a feed that does not load is a defect",
        FEED,
        "    except (Exception, SystemExit) as error:\n        raise SourceError(\n",
        "    except ValueError as error:\n        raise SourceError(\n",
        f"{FEEDING}::test_unusable_feed_is_reported_with_its_file",
    ),
    Mutation(
        FEEDS,
        "every error status of a server is retryable",
        USER_CODE,
        "            return status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR\n",
        "            return True\n",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "no error status of a server is retryable",
        USER_CODE,
        "            return status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR\n",
        "            return False\n",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "wrapped errors are not inspected",
        USER_CODE,
        """            waiting += [getattr(each, "reason", None), each.__cause__, each.__context__]\n""",
        "",
        RAISED,
    ),
    Mutation(
        ERRORS,
        "Spark's JSON stack is printed before the error of a query",
        "goldsmith/engine/launch/session.py",
        "        PySparkLogger.getLogger(logger).disabled = True\n",
        "        PySparkLogger.getLogger(logger).disabled = False\n",
        "tests/spark/test_asking.py::test_error_is_one_message_without_a_stack",
    ),
    Mutation(
        ERRORS,
        "the name and the state of Spark's condition are in the message",
        "goldsmith/run/sql_query.py",
        """    message = re.sub(r"\\s*SQLSTATE: \\w+.*$", "", line)\n""",
        "    message = line\n",
        "tests/spark/test_asking.py::test_error_is_one_message_without_a_stack",
    ),
    Mutation(
        ERRORS,
        "an undeclared profile is accepted by commands that need none",
        "goldsmith/cli/main.py",
        "    check_profile_name()\n",
        "",
        f"{CLI}::test_wrong_call_is_reported_at_once",
    ),
    Mutation(
        ERRORS,
        "status wraps its lines on a narrow terminal",
        CONSOLE,
        "        if sum(needed.values()) > width:\n",
        "        if False:\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        ERRORS,
        "words in a table's columns are wrapped",
        CONSOLE,
        """        column.no_wrap = True\n        column.overflow = "ellipsis"\n""",
        "        pass\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        ERRORS,
        "an added column is not named",
        "goldsmith/run/table_loading.py",
        "            reason=done.reason + changed_columns(before, plan.log.types() if before else {}),\n",
        "            reason=done.reason,\n",
        "tests/spark/test_asking.py::test_run_names_an_added_column",
    ),
    Mutation(
        ERRORS,
        "check imports Spark",
        "goldsmith/cli/opening.py",
        "from goldsmith.settings import Settings\n",
        "from goldsmith.engine.launch.session import make_session as make_session\nfrom goldsmith.settings import Settings\n",
        f"{CLI}::test_check_and_help_import_no_spark",
    ),
    Mutation(
        ERRORS,
        "help imports the declarations",
        "goldsmith/cli/opening.py",
        "from goldsmith.settings import Settings\n",
        "from goldsmith.project.loading import load_project as load_project\nfrom goldsmith.settings import Settings\n",
        f"{CLI}::test_help_imports_no_declarations",
    ),
)
