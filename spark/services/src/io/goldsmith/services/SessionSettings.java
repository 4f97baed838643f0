package io.goldsmith.services;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The settings of a user's session. A setting could select an analyzer without checks, or another catalog. So a client
 * that opens a session with settings is refused, and later changes are refused too.
 */
final class SessionSettings {
    /** Harmless settings of clients. */
    static final Set<String> HARMLESS =
            Set.of("spark.sql.thriftserver.scheduler.pool", "spark.sql.session.timeZone");

    /** Settings that the server and Delta set in each session. */
    private static final Set<String> OF_SERVER = Set.of(
            "spark.sql.binaryOutputStyle",
            "spark.sql.datetime.java8API.enabled",
            "spark.sql.parquet.fieldId.read.enabled",
            "spark.sql.parquet.fieldId.write.enabled");

    private SessionSettings() {}

    /** Throws if a new session has settings of its own. */
    static void check(SparkSession session, Reader reader) {
        Map<String, String> changed =
                new TreeMap<>(CollectionConverters.asJava(session.sessionState().conf().getAllConfs()));
        changed.keySet().removeAll(HARMLESS);
        changed.keySet().removeAll(OF_SERVER);
        // Protocol settings, which Spark does not read from a session.
        changed.keySet().removeIf(key -> key.startsWith("hive."));
        changed.entrySet().removeIf(
                each -> each.getValue().equals(session.sparkContext().conf().get(each.getKey(), null)));
        if (!changed.isEmpty()) {
            throw reader.refusal(
                    "This session changes " + String.join(", ", changed.keySet()) + ", which only the server sets.");
        }
    }
}
