package io.goldsmith.logstore;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Exponential backoff with a total time limit: {@code first}, then doubled each time up to {@code longest},
 * each shortened at random by up to a half, so that conflicting writers do not conflict again.
 */
record Backoff(Duration first, Duration longest, Duration total) {

    /** The client itself retries other failures, but never a conflict. */
    static final Backoff DEFAULT = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(2), Duration.ofSeconds(60));

    Pauses start() {
        return new Pauses();
    }

    /** The pauses of one call. */
    final class Pauses {
        private final long end = System.nanoTime() + total.toNanos();
        private long millis = first.toMillis();

        /**
         * Waits; returns false if the time limit is reached.
         *
         * @throws InterruptedIOException if the thread is interrupted, which it then still is
         */
        boolean next() throws InterruptedIOException {
            long pause = millis - ThreadLocalRandom.current().nextLong(millis / 2 + 1);
            if (System.nanoTime() + Duration.ofMillis(pause).toNanos() - end > 0) {
                return false;
            }
            millis = Math.min(2 * millis, longest.toMillis());
            try {
                Thread.sleep(pause);
            } catch (InterruptedException interruption) {
                Thread.currentThread().interrupt();
                throw (InterruptedIOException)
                        new InterruptedIOException("Interrupted between two attempts").initCause(interruption);
            }
            return true;
        }
    }
}
