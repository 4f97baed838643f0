package io.goldsmith.logstore;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Growing pauses between attempts, up to a total: {@code first}, then twice as long each time up to
 * {@code longest}, each shortened at random by up to a half so that writers who met do not meet again.
 */
record Backoff(Duration first, Duration longest, Duration total) {

    /** The client has tried for a while itself before a failure gets here, but never after a conflict. */
    static final Backoff DEFAULT = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(2), Duration.ofSeconds(60));

    Pauses start() {
        return new Pauses();
    }

    /** The pauses of one call. */
    final class Pauses {
        private final long end = System.nanoTime() + total.toNanos();
        private long millis = first.toMillis();

        /**
         * Waits; false where the time is up.
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
