package io.goldsmith.services;

import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.CurrentUserContext;

/**
 * The user of a Thrift Server session, and the user's scope.
 *
 * <p>The server sets the user in the thread that runs a statement. A session belongs to its first user, because pool
 * threads keep the user of their creator. Sessions without a user are the server's own.
 */
record Reader(String user, Scope scope) {
    private static final Map<SparkSession, Reader> OF_SESSIONS = Collections.synchronizedMap(new WeakHashMap<>());
    private static final Reader SERVER = new Reader("", Scope.EVERYTHING);

    static Reader of(SparkSession session) {
        Reader known = OF_SESSIONS.get(session);
        if (known != null) {
            return known;
        }
        String user = CurrentUserContext.CURRENT_USER().get();
        if (user == null) {
            return SERVER;
        }
        Reader found = named(user);
        if (!found.scope().everything()) {
            SessionSettings.check(session, found);
        }
        OF_SESSIONS.put(session, found);
        return found;
    }

    /** The user of the statement or call that this thread runs. */
    static Reader ofThread() {
        String user = CurrentUserContext.CURRENT_USER().get();
        return user == null ? new Reader("", Scope.NOTHING) : named(user);
    }

    private static Reader named(String user) {
        return new Reader(user, Accounts.ofServer().scope(user));
    }

    /** The exception for a refused operation, with the permitted ones. */
    SecurityException refusal(String what) {
        return new SecurityException("GS926 " + what + " " + may());
    }

    /** The permitted operations, as a sentence. */
    String may() {
        return scope.schemas().isEmpty()
                ? "The account `" + user + "` reads no schema."
                : "The account `" + user + "` reads the tables of " + String.join(" and ", scope.schemas())
                        + ", by name.";
    }
}
