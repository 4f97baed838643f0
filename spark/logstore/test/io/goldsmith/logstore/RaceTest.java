package io.goldsmith.logstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.file.FileAlreadyExistsException;
import java.security.PrivilegedExceptionAction;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.UserGroupInformation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Two writers that aim at the same version at the same moment. Each is another user to Hadoop and so has a
 * client and connections of its own, as two drivers have.
 */
class RaceTest {

    private static final int ROUNDS = Integer.parseInt(
            System.getenv().getOrDefault("GOLDSMITH_TEST_ROUNDS", "200"));

    private final ExecutorService threads = Executors.newFixedThreadPool(2);

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    /** The versions that each of the two was told it had committed. */
    private List<BitSet> race(
            int rounds, String bucket, URI[] endpoints, BiFunction<String, Integer, Iterator<String>> actions)
            throws Exception {
        CyclicBarrier start = new CyclicBarrier(2);
        List<Future<BitSet>> results = new ArrayList<>();
        for (int number = 0; number < 2; number++) {
            String writer = "writer-" + number;
            Configuration conf = S3.settings(endpoints[number]);
            Callable<BitSet> writing = () -> {
                ConditionalS3LogStore store = new ConditionalS3LogStore(conf);
                BitSet committed = new BitSet();
                for (int version = 0; version < rounds; version++) {
                    start.await(20, TimeUnit.SECONDS);
                    try {
                        store.write(S3.commit(bucket, "t", version), actions.apply(writer, version), false, conf);
                        committed.set(version);
                    } catch (FileAlreadyExistsException lost) {
                        // The other's version.
                    }
                }
                return committed;
            };
            UserGroupInformation user = UserGroupInformation.createRemoteUser(writer);
            results.add(threads.submit(() -> user.doAs((PrivilegedExceptionAction<BitSet>) writing::call)));
        }
        return List.of(results.get(0).get(), results.get(1).get());
    }

    private static void assertEachWonOnce(int rounds, List<BitSet> committed) {
        BitSet both = (BitSet) committed.get(0).clone();
        both.and(committed.get(1));
        BitSet either = (BitSet) committed.get(0).clone();
        either.or(committed.get(1));
        assertTrue(both.isEmpty(), "told both: " + both);
        assertEquals(rounds, either.cardinality(), "versions that anybody committed");
    }

    @Test
    void eachVersionIsAcknowledgedOnceAndHoldsTheWinnersCommit() throws Exception {
        String bucket = S3.bucket();
        URI[] direct = {S3.REAL, S3.REAL};
        List<BitSet> committed = race(ROUNDS, bucket, direct, (writer, version) -> Actions.by(writer));
        assertEachWonOnce(ROUNDS, committed);
        Configuration conf = S3.settings(S3.REAL);
        ConditionalS3LogStore store = new ConditionalS3LogStore(conf);
        for (int version = 0; version < ROUNDS; version++) {
            String winner = committed.get(0).get(version) ? "writer-0" : "writer-1";
            try (var lines = store.read(S3.commit(bucket, "t", version), conf)) {
                assertTrue(lines.next().contains(winner), "version " + version);
            }
        }
    }

    @Test
    void equalCommitsOfTwoWritersAreNotTakenForOne() throws Exception {
        URI[] direct = {S3.REAL, S3.REAL};
        int rounds = ROUNDS / 4;
        assertEachWonOnce(rounds, race(rounds, S3.bucket(), direct, (writer, version) -> Actions.by("anybody")));
    }

    @Test
    void aWriterWhoseRepliesAreLostStillWinsEachOfItsVersionsOnce() throws Exception {
        int rounds = ROUNDS / 4;
        AtomicInteger puts = new AtomicInteger();
        try (LossyProxy proxy = new LossyProxy(
                S3.REAL, request -> request.startsWith("PUT") && puts.getAndIncrement() % 3 == 0)) {
            URI[] one = {proxy.endpoint(), S3.REAL};
            assertEachWonOnce(rounds, race(rounds, S3.bucket(), one, (writer, version) -> Actions.by("anybody")));
        }
    }
}
