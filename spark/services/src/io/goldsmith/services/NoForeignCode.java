package io.goldsmith.services;

import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.expressions.CallMethodViaReflection;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.ScriptTransformation;
import org.apache.spark.sql.execution.command.AddArchivesCommand;
import org.apache.spark.sql.execution.command.AddFilesCommand;
import org.apache.spark.sql.execution.command.AddJarsCommand;
import org.apache.spark.sql.execution.command.CreateFunctionCommand;
import scala.Function1;
import scala.runtime.BoxedUnit;

/**
 * Refuses code in queries: scripts, calls of Java methods by name, jars, files and functions made from classes. With
 * any of them a user would have the server's permissions: its keys, its memory, its network.
 *
 * <p>It checks the analyzed plan, so the spelling of the query does not matter.
 */
public final class NoForeignCode implements Function1<SparkSessionExtensions, BoxedUnit> {

    @Override
    public BoxedUnit apply(SparkSessionExtensions extensions) {
        extensions.injectCheckRule(session -> plan -> checked(plan));
        return BoxedUnit.UNIT;
    }

    private static BoxedUnit checked(LogicalPlan plan) {
        plan.foreachWithSubqueries(NoForeignCode::node);
        return BoxedUnit.UNIT;
    }

    private static BoxedUnit node(LogicalPlan node) {
        if (node instanceof ScriptTransformation) {
            throw refused("TRANSFORM ... USING");
        }
        if (node instanceof AddJarsCommand || node instanceof AddFilesCommand || node instanceof AddArchivesCommand) {
            throw refused("ADD JAR, FILE and ARCHIVE");
        }
        if (node instanceof CreateFunctionCommand) {
            throw refused("CREATE FUNCTION of a class");
        }
        if (node.expressions().exists(each -> each.exists(part -> part instanceof CallMethodViaReflection))) {
            throw refused("reflect and java_method");
        }
        return BoxedUnit.UNIT;
    }

    private static SecurityException refused(String what) {
        return new SecurityException(what + " run code in the server, which accepts only queries.");
    }
}
