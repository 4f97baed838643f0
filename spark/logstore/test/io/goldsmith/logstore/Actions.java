package io.goldsmith.logstore;

import java.util.Iterator;
import java.util.List;

/** Commits as Delta writes them, as far as the log store can tell. */
final class Actions {

    private Actions() {}

    static Iterator<String> of(String... lines) {
        return List.of(lines).iterator();
    }

    /** A commit that no other writer's equals. */
    static Iterator<String> by(String writer) {
        return of(
                "{\"commitInfo\":{\"operation\":\"WRITE\",\"txnId\":\"" + writer + "\"}}",
                "{\"add\":{\"path\":\"a\"}}");
    }

    /** A commit that was planned from a version. */
    static Iterator<String> plannedFrom(long base) {
        return of("{\"commitInfo\":{\"userMetadata\":\"{\\\"base\\\":" + base + "}\"}}", "{\"add\":{\"path\":\"a\"}}");
    }
}
