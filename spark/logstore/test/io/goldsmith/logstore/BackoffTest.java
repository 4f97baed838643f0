package io.goldsmith.logstore;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InterruptedIOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BackoffTest {

    private static Backoff backoff(long first, long longest, long total) {
        return new Backoff(Duration.ofMillis(first), Duration.ofMillis(longest), Duration.ofMillis(total));
    }

    @Test
    void pausesEndWithTheTotal() throws Exception {
        Backoff.Pauses pauses = backoff(1, 8, 100).start();
        long start = System.nanoTime();
        int count = 0;
        while (pauses.next()) {
            count++;
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(count >= 5, "only " + count + " pauses");
        assertTrue(millis <= 150, "took " + millis + " ms");
    }

    @Test
    void aPauseThatWouldOutlastTheTotalIsNotBegun() throws Exception {
        assertFalse(backoff(10_000, 10_000, 100).start().next());
    }

    @Test
    void anInterruptEndsAPauseAndStays() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedIOException.class, () -> backoff(500, 500, 5_000).start().next());
        assertTrue(Thread.interrupted());
    }
}
