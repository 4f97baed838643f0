package io.goldsmith.logstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The log store on a real store, on a good day and behind a network that loses replies. */
class RealStoreTest {

    private static String bucket;

    private final Configuration conf = S3.settings(S3.REAL);
    private final ConditionalS3LogStore store = new ConditionalS3LogStore(conf);
    private final String table = "t-" + UUID.randomUUID();

    @BeforeAll
    static void makeBucket() {
        bucket = S3.bucket();
    }

    private Path version(long version) {
        return S3.commit(bucket, table, version);
    }

    private List<String> lines(Path path) throws IOException {
        List<String> found = new ArrayList<>();
        try (var lines = store.read(path, conf)) {
            lines.forEachRemaining(found::add);
        }
        return found;
    }

    private static List<String> names(ConditionalS3LogStore store, Path from, Configuration conf)
            throws IOException {
        List<String> names = new ArrayList<>();
        store.listFrom(from, conf).forEachRemaining(file -> names.add(file.getPath().getName()));
        return names;
    }

    @Test
    void whatIsWrittenIsRead() throws Exception {
        store.write(version(0), Actions.of("{\"a\":\"é\"}", "{\"b\":\"\\n\"}", "{\"c\":\"😀\"}"), false, conf);
        assertEquals(List.of("{\"a\":\"é\"}", "{\"b\":\"\\n\"}", "{\"c\":\"😀\"}"), lines(version(0)));
    }

    @Test
    void aVersionIsCommittedOnce() throws Exception {
        store.write(version(0), Actions.by("one"), false, conf);
        assertThrows(
                FileAlreadyExistsException.class,
                () -> store.write(version(0), Actions.by("two"), false, conf));
        assertTrue(lines(version(0)).get(0).contains("one"));
    }

    @Test
    void whatMayBeOverwrittenIs() throws Exception {
        Path checkpoint = new Path(version(0).getParent(), "_last_checkpoint");
        store.write(checkpoint, Actions.of("{\"version\":10}"), true, conf);
        store.write(checkpoint, Actions.of("{\"version\":20}"), true, conf);
        assertEquals(List.of("{\"version\":20}"), lines(checkpoint));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aListingBeginsAtAVersionAndIsInOrder(boolean fast) throws Exception {
        Configuration listing = new Configuration(conf);
        listing.setBoolean("delta.enableFastS3AListFrom", fast);
        ConditionalS3LogStore lister = new ConditionalS3LogStore(listing);
        for (long version : new long[] {2, 0, 10, 1}) {
            store.write(version(version), Actions.by("me"), false, conf);
        }
        assertEquals(
                List.of(version(1).getName(), version(2).getName(), version(10).getName()),
                names(lister, version(1), listing));
        assertEquals(List.of(), names(lister, version(11), listing));
        assertThrows(
                FileNotFoundException.class,
                () -> lister.listFrom(S3.commit(bucket, "nothing", 0), listing));
    }

    @Test
    void theProbeLeavesNothing() throws Exception {
        String fresh = S3.bucket();
        store.write(S3.commit(fresh, table, 0), Actions.by("me"), false, conf);
        try (var client = S3.client()) {
            var objects = client.listObjectsV2(request -> request.bucket(fresh)).contents();
            assertFalse(objects.stream().anyMatch(object -> object.key().contains("probe")), objects.toString());
        }
    }

    @Test
    void aReaderSeesNoHalfCommit() {
        assertFalse(store.isPartialWriteVisible(version(0), conf));
    }

    @Test
    void aPathIsResolvedToTheBucket() throws Exception {
        assertEquals(version(3), store.resolvePathOnPhysicalStorage(version(3), conf));
    }

    @Test
    void aCommitIsOneRequest() throws Exception {
        try (LossyProxy proxy = new LossyProxy(S3.REAL, request -> false)) {
            String own = S3.bucket();
            Configuration counted = S3.settings(proxy.endpoint());
            store.write(S3.commit(own, table, 0), Actions.by("me"), false, counted);
            int before = proxy.requests().size();
            store.write(S3.commit(own, table, 1), Actions.by("me"), false, counted);
            assertEquals(before + 1, proxy.requests().size(), proxy.requests().toString());
        }
    }

    /** repetitions: how often the client sends a request again before the log store hears of a failure. */
    @ParameterizedTest
    @ValueSource(ints = {0, 5})
    void everySecondReplyIsLostAndNoCommitIs(int repetitions) throws Exception {
        String own = S3.bucket();
        AtomicInteger puts = new AtomicInteger();
        AtomicInteger lost = new AtomicInteger();
        LossyProxy proxy = new LossyProxy(S3.REAL, request -> {
            boolean loses = request.contains(".json") && request.startsWith("PUT") && puts.getAndIncrement() % 2 == 0;
            lost.addAndGet(loses ? 1 : 0);
            return loses;
        });
        try (proxy) {
            Configuration lossy = S3.settings(proxy.endpoint());
            lossy.setInt("fs.s3a.attempts.maximum", repetitions);
            lossy.setInt("fs.s3a.retry.limit", 0);
            for (int version = 0; version < 20; version++) {
                Path path = S3.commit(own, table, version);
                store.write(path, Actions.by("writer-" + version), false, lossy);
                assertTrue(lines(path).get(0).contains("writer-" + version));
                assertThrows(
                        FileAlreadyExistsException.class,
                        () -> store.write(path, Actions.by("late"), false, conf));
            }
        }
        assertTrue(lost.get() >= 10, lost + " replies were lost");
    }

    @Test
    void aLargeCommitIsConditionalToo() throws Exception {
        Configuration parts = new Configuration(conf);
        parts.set("fs.s3a.multipart.size", "5M");
        String own = S3.bucket();
        Path path = S3.commit(own, table, 0);
        String large = "{\"add\":\"" + "x".repeat(3 << 20) + "\"}";
        store.write(path, Actions.of("{\"by\":\"one\"}", large, large, large), false, parts);
        assertThrows(
                FileAlreadyExistsException.class,
                () -> store.write(path, Actions.of("{\"by\":\"two\"}", large, large, large), false, parts));
        assertEquals(List.of("{\"by\":\"one\"}", large, large, large), lines(path));
    }
}
