package io.goldsmith.services;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.catalog.SessionCatalog;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.types.DataTypeUtils;
import org.apache.spark.sql.delta.DeltaLog;
import org.apache.spark.sql.delta.Snapshot;
import org.apache.spark.sql.execution.CommandResultExec;
import org.apache.spark.sql.execution.LocalTableScanExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Function1;
import scala.Option;
import scala.Tuple3;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/**
 * The table function `table_versions('gold', 'ops')`: the newest version of each Delta table of some schemas, read from
 * the tables' logs in one statement.
 *
 * <p>Columns: schema_name, table_name, version, table_id (Delta's) and committed_ms, milliseconds since 1970. Views,
 * tables of other formats, and tables of schemas that the user cannot read have no row.
 */
public final class TableVersions implements Function1<SparkSessionExtensions, BoxedUnit> {
    private static final Logger LOG = LoggerFactory.getLogger(TableVersions.class);
    private static final String NAME = "table_versions";
    private static final Metadata MARK = new MetadataBuilder().putBoolean(NAME, true).build();
    private static final StructType ROWS = new StructType()
            .add("schema_name", DataTypes.StringType, false, MARK)
            .add("table_name", DataTypes.StringType, false, MARK)
            .add("version", DataTypes.LongType, false, MARK)
            .add("table_id", DataTypes.StringType, false, MARK)
            .add("committed_ms", DataTypes.LongType, false, MARK);
    private static final int AT_ONCE = 4;
    /** The number of concurrent requests: each log is a request to the store. */
    private static final ExecutorService LOOKING = Executors.newFixedThreadPool(AT_ONCE, work -> {
        Thread thread = new Thread(work, NAME);
        thread.setDaemon(true);
        return thread;
    });

    @Override
    public BoxedUnit apply(SparkSessionExtensions extensions) {
        Function1<Seq<Expression>, LogicalPlan> builder = TableVersions::found;
        extensions.injectTableFunction(new Tuple3<>(
                FunctionIdentifier.apply(NAME), new ExpressionInfo(TableVersions.class.getName(), NAME), builder));
        extensions.injectPlannerStrategy(session -> new WithoutTask());
        return BoxedUnit.UNIT;
    }

    private static LogicalPlan found(Seq<Expression> arguments) {
        SparkSession session = SparkSession.active();
        Reader reader = Reader.of(session);
        List<Future<Optional<Row>>> looked = new ArrayList<>();
        for (String schema : schemas(arguments)) {
            if (reader.scope().has(schema)) {
                for (CatalogTable table : tables(session.sessionState().catalog(), schema)) {
                    looked.add(LOOKING.submit(inSession(session, () -> row(session, table))));
                }
            }
        }
        List<Row> rows = new ArrayList<>();
        looked.forEach(each -> await(each).ifPresent(rows::add));
        List<Attribute> columns = new ArrayList<>(CollectionConverters.asJava(DataTypeUtils.toAttributes(ROWS)));
        return LocalRelation.fromExternalRows(
                CollectionConverters.asScala(columns).toSeq(), CollectionConverters.asScala(rows).toSeq());
    }

    private static Set<String> schemas(Seq<Expression> arguments) {
        Set<String> names = new LinkedHashSet<>();
        for (Expression each : CollectionConverters.asJava(arguments)) {
            Object value = each.foldable() ? each.eval(null) : null;
            if (value == null) {
                throw new IllegalArgumentException(NAME + " expects schema names: " + NAME + "('gold', 'ops').");
            }
            names.add(value.toString().toLowerCase(Locale.ROOT));
        }
        return names;
    }

    /** The Delta tables of a schema, by two calls of the metastore; none if the schema does not exist. */
    private static List<CatalogTable> tables(SessionCatalog catalog, String schema) {
        if (!catalog.databaseExists(schema)) {
            return List.of();
        }
        try {
            return CollectionConverters.asJava(catalog.getTablesByName(catalog.listTables(schema, "*", false))).stream()
                    .filter(table -> table.provider().exists("delta"::equalsIgnoreCase))
                    .toList();
        } catch (NoSuchNamespaceException dropped) {
            return List.of();
        }
    }

    private static <T> Callable<T> inSession(SparkSession session, Callable<T> work) {
        ClassLoader classes = Thread.currentThread().getContextClassLoader();
        return () -> {
            Thread.currentThread().setContextClassLoader(classes);
            SparkSession.setActiveSession(session);
            try {
                return work.call();
            } finally {
                SparkSession.clearActiveSession();
            }
        };
    }

    private static Optional<Row> row(SparkSession session, CatalogTable table) {
        try {
            Snapshot newest = DeltaLog.forTable(session, table).update(false, Option.empty(), Option.apply(table));
            return newest.version() < 0
                    ? Optional.empty()
                    : Optional.of(RowFactory.create(
                            table.identifier().database().get(),
                            table.identifier().table(),
                            newest.version(),
                            newest.metadata().id(),
                            newest.timestamp()));
        } catch (RuntimeException unreadable) {
            // The other tables are returned nevertheless; a query of this one reports the error.
            LOG.warn("The log of {} cannot be read: {}", table.identifier(), unreadable.toString());
            return Optional.empty();
        }
    }

    private static <T> T await(Future<T> future) {
        try {
            return future.get();
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The look-up was cancelled.", cancelled);
        } catch (ExecutionException failed) {
            throw new IllegalStateException(failed.getCause());
        }
    }

    /**
     * Plans the rows as a command's result. The rows of any other plan are fetched by a task, which would wait while long
     * queries use all cores.
     */
    private static final class WithoutTask extends SparkStrategy {
        @Override
        public Seq<SparkPlan> apply(LogicalPlan plan) {
            List<SparkPlan> planned = new ArrayList<>();
            if (plan instanceof LocalRelation rows && isMarked(rows)) {
                SparkPlan scan = new LocalTableScanExec(rows.output(), rows.data(), Option.empty());
                planned.add(new CommandResultExec(rows.output(), scan, rows.data()));
            }
            return CollectionConverters.asScala(planned).toSeq();
        }

        private static boolean isMarked(LocalRelation rows) {
            return rows.output().nonEmpty() && rows.output().forall(column -> column.metadata().contains(NAME));
        }
    }
}
