package io.goldsmith.services;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The settings of a reader's session. One could switch to an analyzer without checks, or to another catalog; so a
 * client that opens a session with any is refused, and later none is changed.
 */
final class SessionSettings {
    /** What clients set without harm. */
    static final Set<String> HARMLESS =
            Set.of("spark.sql.thriftserver.scheduler.pool", "spark.sql.session.timeZone");

    /** What the server and Delta set in each session by themselves. */
    private static final Set<String> OF_SERVER = Set.of(
            "spark.sql.binaryOutputStyle",
            "spark.sql.datetime.java8API.enabled",
            "spark.sql.parquet.fieldId.read.enabled",
            "spark.sql.parquet.fieldId.write.enabled");

    private SessionSettings() {}

    /** Throws if a session that begins has settings of its own. */
    static void check(SparkSession session, Reader reader) {
        Map<String, String> changed =
                new TreeMap<>(CollectionConverters.asJava(session.sessionState().conf().getAllConfs()));
        changed.keySet().removeAll(HARMLESS);
        changed.keySet().removeAll(OF_SERVER);
        // Of the protocol: Spark reads none of them from a session.
        changed.keySet().removeIf(key -> key.startsWith("hive."));
        changed.entrySet().removeIf(
                each -> each.getValue().equals(session.sparkContext().conf().get(each.getKey(), null)));
        if (!changed.isEmpty()) {
            throw reader.refusal(
                    "This session changes " + String.join(", ", changed.keySet()) + ", which only the server sets.");
        }
    }
}
