package io.goldsmith.services;

import java.util.Set;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.analysis.ResolvedNamespace;
import org.apache.spark.sql.catalyst.analysis.ResolvedPersistentView;
import org.apache.spark.sql.catalyst.analysis.ResolvedTable;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.catalog.HiveTableRelation;
import org.apache.spark.sql.catalyst.plans.logical.Command;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.SetCatalogAndNamespace;
import org.apache.spark.sql.connector.catalog.CatalogPlugin;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.V2TableWithV1Fallback;
import org.apache.spark.sql.execution.CommandExecutionMode;
import org.apache.spark.sql.execution.command.DescribeDatabaseCommand;
import org.apache.spark.sql.execution.command.DescribeQueryCommand;
import org.apache.spark.sql.execution.command.ExplainCommand;
import org.apache.spark.sql.execution.command.SetCommand;
import org.apache.spark.sql.execution.command.ShowColumnsCommand;
import org.apache.spark.sql.execution.command.ShowTablesCommand;
import org.apache.spark.sql.execution.command.ShowViewsCommand;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/**
 * Checks that a plan contains only permitted nodes: tables of the user's schemas and commands that show them. Unknown
 * nodes are refused.
 */
final class PlanReview {
    private static final String SESSION_CATALOG = "spark_catalog";
    private static final String LOGICAL = "org.apache.spark.sql.catalyst.plans.logical.";
    private static final String COMMANDS = "org.apache.spark.sql.execution.command.";
    private static final String DELTA = "org.apache.spark.sql.delta.";

    /** Commands that only show; the tables and schemas that they name are checked too. */
    private static final Set<String> SHOWING = Set.of(
            LOGICAL + "SetCatalogAndNamespace",
            LOGICAL + "ShowNamespaces",
            LOGICAL + "ShowTables",
            LOGICAL + "ShowTablesExtended",
            LOGICAL + "ShowViews",
            LOGICAL + "ShowColumns",
            LOGICAL + "ShowPartitions",
            LOGICAL + "ShowCreateTable",
            LOGICAL + "ShowTableProperties",
            LOGICAL + "ShowFunctions",
            LOGICAL + "DescribeRelation",
            LOGICAL + "DescribeColumn",
            LOGICAL + "DescribeNamespace",
            LOGICAL + "DescribeFunction",
            COMMANDS + "SetCommand",
            COMMANDS + "SetNamespaceCommand",
            COMMANDS + "ShowCatalogsCommand",
            COMMANDS + "ShowNamespacesCommand",
            COMMANDS + "ShowCurrentNamespaceCommand",
            COMMANDS + "ShowTablesCommand",
            COMMANDS + "ShowViewsCommand",
            COMMANDS + "ShowColumnsCommand",
            COMMANDS + "ShowPartitionsCommand",
            COMMANDS + "ShowCreateTableCommand",
            COMMANDS + "ShowTablePropertiesCommand",
            COMMANDS + "ShowFunctionsCommand",
            COMMANDS + "DescribeTableCommand",
            COMMANDS + "DescribeColumnCommand",
            COMMANDS + "DescribeDatabaseCommand",
            COMMANDS + "DescribeFunctionCommand",
            COMMANDS + "DescribeQueryCommand",
            COMMANDS + "DescribeRelationJsonCommand",
            COMMANDS + "ExplainCommand",
            DELTA + "commands.DescribeDeltaHistoryCommand",
            DELTA + "commands.DescribeDeltaDetailCommand",
            DELTA + "commands.ShowDeltaTableColumnsCommand");

    /** Leaves with rows of the statement itself or of a permitted plan's result. No SQL reads data through them. */
    private static final Set<String> OWN_ROWS = Set.of(
            LOGICAL + "LocalRelation",
            LOGICAL + "OneRowRelation",
            LOGICAL + "Range",
            LOGICAL + "EmptyRelation",
            LOGICAL + "CommandResult",
            LOGICAL + "CTERelationRef",
            LOGICAL + "UnionLoopRef",
            "org.apache.spark.sql.catalyst.analysis.ResolvedInlineTable",
            "org.apache.spark.sql.catalyst.analysis.ResolvedNonPersistentFunc",
            "org.apache.spark.sql.execution.LogicalRDD",
            "org.apache.spark.sql.execution.ExternalRDD");

    /** Files that Delta reads for a permitted table: its log and its changes. SQL cannot name them. */
    private static final Set<String> OF_DELTA = Set.of(
            DELTA + "DeltaLogFileIndex",
            DELTA + "files.CdcAddFileIndex",
            DELTA + "files.TahoeChangeFileIndex",
            DELTA + "files.TahoeRemoveFileIndex");

    private final SparkSession session;
    private final Reader reader;

    PlanReview(SparkSession session, Reader reader) {
        this.session = session;
        this.reader = reader;
    }

    /** Throws unless everything in the analyzed plan is permitted. */
    void check(LogicalPlan plan) {
        // USE reads nothing, and every client starts with it.
        boolean used = plan instanceof SetCatalogAndNamespace;
        plan.foreachWithSubqueries(node -> {
            if (node instanceof Command) {
                command(node);
            } else if (node.children().isEmpty() && !(node instanceof ResolvedNamespace && used)) {
                leaf(node);
            }
            return BoxedUnit.UNIT;
        });
    }

    /** Throws if one of the tables resolved so far is not permitted. */
    void checkTables(LogicalPlan plan) {
        plan.foreachWithSubqueries(node -> {
            if (node.children().isEmpty() && node.resolved() && !(node instanceof Command)
                    && !(node instanceof ResolvedNamespace)) {
                leaf(node);
            }
            return BoxedUnit.UNIT;
        });
    }

    private void leaf(LogicalPlan node) {
        if (node instanceof LogicalRelation relation) {
            relation(relation);
        } else if (node instanceof HiveTableRelation relation) {
            table(relation.tableMeta());
        } else if (node instanceof DataSourceV2Relation relation) {
            table(relation.catalog(), relation.identifier(), relation.name());
        } else if (node instanceof ResolvedTable resolved) {
            table(Option.apply(resolved.catalog()), Option.apply(resolved.identifier()), resolved.name());
        } else if (node instanceof ResolvedPersistentView view) {
            table(Option.apply(view.catalog()), Option.apply(view.identifier()), view.identifier().toString());
        } else if (node instanceof ResolvedNamespace namespace) {
            if (!namespace.namespace().isEmpty()) {
                schema(namespace.namespace().head());
            }
        } else if (!OWN_ROWS.contains(node.getClass().getName())) {
            throw reader.refusal("`" + node.nodeName() + "` is not a table that may be read.");
        }
    }

    private void relation(LogicalRelation relation) {
        if (relation.catalogTable().isDefined()) {
            table(relation.catalogTable().get());
        } else if (!(relation.relation() instanceof HadoopFsRelation files)
                || !OF_DELTA.contains(files.location().getClass().getName())) {
            throw reader.refusal("Files may not be read by path.");
        }
    }

    private void command(LogicalPlan node) {
        if (!SHOWING.contains(node.getClass().getName())) {
            throw reader.refusal("`" + node.nodeName() + "` may not be run.");
        }
        if (node instanceof SetCommand set) {
            setting(set);
        } else if (node instanceof ExplainCommand explain) {
            analyze(explain.logicalPlan());
        } else if (node instanceof DescribeQueryCommand describe) {
            analyze(describe.plan());
        } else if (node instanceof DescribeDatabaseCommand describe) {
            schema(describe.databaseName());
        } else if (node instanceof ShowTablesCommand show) {
            schema(show.databaseName().getOrElse(this::currentSchema));
        } else if (node instanceof ShowViewsCommand show) {
            schema(show.databaseName());
        } else if (node instanceof ShowColumnsCommand show && show.databaseName().isDefined()) {
            schema(show.databaseName().get());
        }
        CollectionConverters.asJava(node.productIterator()).forEachRemaining(part -> {
            if (part instanceof TableIdentifier identifier) {
                table(identifier);
            } else if (part instanceof Table table) {
                table(table);
            }
        });
    }

    /** Analyzes an inner plan, which also checks it. */
    private void analyze(LogicalPlan inner) {
        session.sessionState().executePlan(inner, CommandExecutionMode.SKIP()).assertAnalyzed();
    }

    private void setting(SetCommand set) {
        if (set.kv().isEmpty() || !SessionSettings.HARMLESS.contains(set.kv().get()._1())) {
            throw reader.refusal("Settings may not be read or changed.");
        }
    }

    private void table(Table table) {
        CatalogTable known;
        try {
            known = ((V2TableWithV1Fallback) table).v1Table();
        } catch (ClassCastException | IllegalStateException unnamed) {
            // Delta tables by path are in no catalog.
            throw refused(table.name());
        }
        table(known);
    }

    private void table(CatalogTable table) {
        table(table.identifier());
    }

    private void table(TableIdentifier identifier) {
        String schema = identifier.database().getOrElse(this::currentSchema);
        if (!reader.scope().has(schema) || !isSessionCatalog(identifier.catalog().getOrElse(() -> SESSION_CATALOG))) {
            throw refused(schema + "." + identifier.table());
        }
    }

    private void table(Option<? extends CatalogPlugin> catalog, Option<Identifier> identifier, String name) {
        if (identifier.isEmpty() || catalog.isEmpty() || !isSessionCatalog(catalog.get().name())) {
            throw refused(name);
        }
        String[] namespace = identifier.get().namespace();
        if (namespace.length != 1 || !reader.scope().has(namespace[0])) {
            throw refused(name);
        }
    }

    private void schema(String schema) {
        if (!reader.scope().has(schema)) {
            throw reader.refusal("The schema `" + schema + "` may not be shown.");
        }
    }

    private SecurityException refused(String table) {
        return reader.refusal("The table `" + table + "` may not be read.");
    }

    private String currentSchema() {
        return session.sessionState().catalog().getCurrentDatabase();
    }

    private static boolean isSessionCatalog(String name) {
        return SESSION_CATALOG.equals(name);
    }
}
