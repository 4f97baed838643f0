package io.goldsmith.logstore;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;

/** Distinguishes an interrupted thread from a request that timed out, which raise the same exception class. */
final class Interruption {

    private Interruption() {}

    /** Rethrows a failure caused by an interrupt; the thread stays interrupted. */
    static void rethrow(IOException failure) throws IOException {
        if (keep(failure)) {
            throw failure;
        }
    }

    /** Whether an interrupt caused this failure; if so the thread stays interrupted. */
    static boolean keep(IOException failure) {
        boolean stopped = failure instanceof InterruptedIOException && !(failure instanceof SocketTimeoutException);
        if (stopped) {
            Thread.currentThread().interrupt();
        }
        return stopped;
    }
}
