package io.goldsmith.logstore;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;

/** Tells a thread that was asked to stop from one whose request timed out, which is the same class of failure. */
final class Interruption {

    private Interruption() {}

    /** Passes on a failure by which the thread was stopped; the thread stays interrupted. */
    static void rethrow(IOException failure) throws IOException {
        if (keep(failure)) {
            throw failure;
        }
    }

    /** Whether the thread was stopped by this failure; if so it stays interrupted. */
    static boolean keep(IOException failure) {
        boolean stopped = failure instanceof InterruptedIOException && !(failure instanceof SocketTimeoutException);
        if (stopped) {
            Thread.currentThread().interrupt();
        }
        return stopped;
    }
}
