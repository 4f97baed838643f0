package io.goldsmith.services;

import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import scala.Function1;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.BoxedUnit;

/**
 * Restricts users to their schemas: a Thrift Server with this extension refuses all other plans.
 *
 * <p>It checks the analyzed plan, which contains the resolved tables, however the statement names them.
 */
public final class ReadableSchemas implements Function1<SparkSessionExtensions, BoxedUnit> {
    @Override
    public BoxedUnit apply(SparkSessionExtensions extensions) {
        extensions.injectResolutionRule(EachResolved::new);
        extensions.injectCheckRule(session -> plan -> {
            Reader reader = Reader.of(session);
            if (!reader.scope().everything()) {
                new PlanReview(session, reader).check(plan);
            }
            return BoxedUnit.UNIT;
        });
        extensions.injectPlannerStrategy(BeforePlanning::new);
        return BoxedUnit.UNIT;
    }

    /**
     * Refuses a table as soon as it is resolved: Spark's error for an unknown column would otherwise list its columns.
     */
    private static final class EachResolved extends Rule<LogicalPlan> {
        private final SparkSession session;

        EachResolved(SparkSession session) {
            this.session = session;
        }

        @Override
        public LogicalPlan apply(LogicalPlan plan) {
            Reader reader = Reader.of(session);
            if (!reader.scope().everything()) {
                new PlanReview(session, reader).checkTables(plan);
            }
            return plan;
        }
    }

    /** Also checks plans of other analyzers. A session's settings are checked once in any case. */
    private static final class BeforePlanning extends SparkStrategy {
        private final transient SparkSession session;

        BeforePlanning(SparkSession session) {
            this.session = session;
        }

        @Override
        public Seq<SparkPlan> apply(LogicalPlan plan) {
            Reader.of(session);
            return CollectionConverters.asScala(List.<SparkPlan>of()).toSeq();
        }
    }
}
