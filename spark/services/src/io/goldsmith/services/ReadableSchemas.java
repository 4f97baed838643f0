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
 * Users who read some schemas only: a Thrift Server with this extension refuses every other plan of theirs.
 *
 * <p>It looks at the analyzed plan, where each table stands as what it is, whatever the statement calls it.
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
     * Refuses a table as soon as it is found: what Spark says of a wrong column would otherwise name the right ones.
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

    /** Plans that another analyzer made come here as well, and a session's settings are checked once in any case. */
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
