package io.goldsmith.logstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.goldsmith.logstore.FakeStore.Fate;
import io.goldsmith.logstore.FakeStore.Request;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of a commit when the store's answers are not those of a good day. */
class FailingStoreTest {

    private static final String NAME = "t/_delta_log/00000000000000000000.json";
    private static final Backoff SHORT =
            new Backoff(Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofMillis(400));

    private final String bucket = "fake-" + UUID.randomUUID();
    private final Path path = S3.commit(bucket, "t", 0);
    private FakeStore fake;
    private Configuration conf;
    private ConditionalS3LogStore store;

    @BeforeEach
    void start() throws IOException {
        fake = new FakeStore();
        conf = S3.settings(fake.endpoint());
        // The client's own repetitions would hide what the log store does, and take long.
        conf.setInt("fs.s3a.attempts.maximum", 0);
        conf.setInt("fs.s3a.retry.limit", 0);
        conf.setInt("fs.s3a.retry.throttle.limit", 0);
        conf.set("fs.s3a.retry.interval", "5ms");
        store = new ConditionalS3LogStore(conf, SHORT);
    }

    @AfterEach
    void stop() throws IOException {
        path.getFileSystem(conf).close();
        fake.close();
    }

    private void commit() throws IOException {
        store.write(path, Actions.by("me"), false, conf);
    }

    /** The first of the requests that are meant meets its fate, the others are served. */
    private static Function<Request, Fate> first(int count, Predicate<Request> which, Fate fate) {
        AtomicInteger met = new AtomicInteger();
        return request -> which.test(request) && met.getAndIncrement() < count ? fate : Fate.SERVED;
    }

    private static Function<Request, Fate> always(Predicate<Request> which, Fate fate) {
        return request -> which.test(request) ? fate : Fate.SERVED;
    }

    @Test
    void aConflictIsTriedAgain() throws Exception {
        fake.fate = first(3, Request::isCommit, Fate.CONFLICT_409);
        commit();
        assertEquals(4, fake.count(Request::isCommit));
        assertTrue(fake.content(NAME).contains("\"me\""));
    }

    @Test
    void aConflictThatAnotherWonIsNotTriedAgain() {
        fake.put(NAME, "another's");
        fake.fate = always(Request::isCommit, Fate.CONFLICT_409);
        assertThrows(FileAlreadyExistsException.class, this::commit);
        assertEquals(1, fake.count(Request::isCommit));
    }

    @Test
    void aConflictThatDoesNotEndIsGivenUp() {
        fake.fate = always(Request::isCommit, Fate.CONFLICT_409);
        long start = System.nanoTime();
        IOException failure = assertThrows(IOException.class, this::commit);
        assertFalse(failure instanceof FileAlreadyExistsException);
        assertTrue(System.nanoTime() - start < Duration.ofSeconds(5).toNanos());
        assertTrue(fake.count(Request::isCommit) > 3);
    }

    @Test
    void aRefusedConditionMeansThatAnotherWon() {
        fake.put(NAME, "another's");
        assertThrows(FileAlreadyExistsException.class, this::commit);
        assertEquals(1, fake.count(Request::isCommit));
        assertEquals("another's", fake.content(NAME));
    }

    @Test
    void aLostReplyIsNoLostCommit() throws Exception {
        fake.fate = first(1, Request::isCommit, Fate.SERVED_WITHOUT_REPLY);
        commit();
        assertEquals(1, fake.count(Request::isCommit));
    }

    @Test
    void aLostReplyThatTheClientRepeatsIsNoLostCommit() throws Exception {
        conf.setInt("fs.s3a.attempts.maximum", 2);
        fake.fate = first(1, Request::isCommit, Fate.SERVED_WITHOUT_REPLY);
        commit();
        assertEquals(2, fake.count(Request::isCommit));
    }

    @Test
    void anErrorAfterTheObjectWasStoredIsNoLostCommit() throws Exception {
        fake.fate = first(1, Request::isCommit, Fate.SERVED_WITH_500);
        commit();
        assertEquals(1, fake.count(Request::isCommit));
    }

    @Test
    void anErrorBeforeTheObjectWasStoredIsTriedAgain() throws Exception {
        fake.fate = first(1, Request::isCommit, Fate.FAILED_500);
        commit();
        assertEquals(2, fake.count(Request::isCommit));
    }

    @Test
    void aPutThatTakesEffectAfterTheStoreWasAskedIsKnownAtTheNext() throws Exception {
        fake.fate = first(1, Request::isCommit, Fate.SERVED_LATE);
        commit();
        assertEquals(2, fake.count(Request::isCommit));
    }

    @Test
    void theOwnObjectIsKnownByItsContentWhereMetadataIsNotKept() throws Exception {
        fake.keepsMetadata = false;
        fake.fate = first(1, Request::isCommit, Fate.SERVED_WITHOUT_REPLY);
        commit();
        fake.put(NAME, "another's");
        assertThrows(FileAlreadyExistsException.class, this::commit);
    }

    @Test
    void anEqualObjectOfAnotherIsNotTheOwn() throws Exception {
        commit();
        assertThrows(FileAlreadyExistsException.class, this::commit);
    }

    @Test
    void theStoreIsAskedAgainWhereItCouldNotTellWhoseObjectItHolds() throws Exception {
        Predicate<Request> asked = request -> request.method().equals("HEAD") && request.name().equals(NAME);
        Function<Request, Fate> lost = first(1, Request::isCommit, Fate.SERVED_WITHOUT_REPLY);
        Function<Request, Fate> unanswered = first(1, asked, Fate.FAILED_500);
        fake.fate = request -> asked.test(request) ? unanswered.apply(request) : lost.apply(request);
        commit();
        assertEquals(2, fake.count(Request::isCommit));
    }

    @Test
    void missingRightsAreNotTriedAgain() {
        fake.fate = always(Request::isCommit, Fate.FORBIDDEN_403);
        assertThrows(AccessDeniedException.class, this::commit);
        assertEquals(1, fake.count(Request::isCommit));
    }

    @Test
    void anInterruptDuringAPutIsNotAnsweredByAnother() {
        Thread writer = Thread.currentThread();
        fake.fate = request -> {
            if (request.isCommit()) {
                writer.interrupt();
                return Fate.FAILED_500;
            }
            return Fate.SERVED;
        };
        assertThrows(InterruptedIOException.class, this::commit);
        assertTrue(Thread.interrupted(), "the interrupt is gone");
        assertEquals(1, fake.count(Request::isCommit));
    }

    @Test
    void anInterruptEndsTheAttempts() throws Exception {
        fake.fate = always(Request::isCommit, Fate.CONFLICT_409);
        store = new ConditionalS3LogStore(conf, new Backoff(
                Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ofSeconds(60)));
        List<Throwable> ends = new ArrayList<>();
        Thread writer = new Thread(() -> {
            ends.add(assertThrows(IOException.class, this::commit));
            ends.add(Thread.currentThread().isInterrupted() ? ends.get(0) : null);
        });
        writer.start();
        while (fake.count(Request::isCommit) == 0) {
            Thread.sleep(5);
        }
        writer.interrupt();
        writer.join(5_000);
        assertInstanceOf(InterruptedIOException.class, ends.get(0));
        assertNotNull(ends.get(1), "the interrupt is gone");
    }

    @Test
    void aLargeCommitThatBreaksOffLeavesNothing() {
        conf.set("fs.s3a.multipart.size", "5M");
        fake.fate = always(request -> request.query().contains("uploads"), Fate.FORBIDDEN_403);
        String large = "{\"add\":\"" + "x".repeat(6 << 20) + "\"}";
        assertThrows(AccessDeniedException.class, () -> store.write(path, Actions.of(large, large), false, conf));
        assertFalse(fake.names().contains(NAME));
    }

    @Test
    void aStoreThatIgnoresTheConditionIsRefusedBeforeTheFirstCommit() {
        fake.ignoresConditions = true;
        IOException refusal = assertThrows(ConditionIgnoredException.class, this::commit);
        assertTrue(refusal.getMessage().startsWith("GS420 "), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(bucket), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(fake.endpoint().toString()), refusal.getMessage());
        assertEquals(0, fake.count(Request::isCommit));
        assertFalse(fake.names().stream().anyMatch(name -> name.contains("probe")), fake.names().toString());
        assertThrows(ConditionIgnoredException.class, this::commit);
    }

    @Test
    void aConflictDoesNotShowThatTheStoreHoldsToTheCondition() {
        fake.ignoresConditions = true;
        fake.fate = first(2, Request::isProbe, Fate.CONFLICT_409);
        assertThrows(ConditionIgnoredException.class, this::commit);
        assertEquals(4, fake.count(Request::isProbe));
    }

    @Test
    void aStoreThatDoesNotKnowTheConditionIsRefused() {
        fake.fate = always(Request::conditional, Fate.NOT_IMPLEMENTED_501);
        assertTrue(assertThrows(ConditionIgnoredException.class, this::commit).getMessage().startsWith("GS420 "));
    }

    @Test
    void aClientWithoutConditionsIsRefused() {
        conf.setBoolean("fs.s3a.create.conditional.enabled", false);
        assertThrows(ConditionIgnoredException.class, this::commit);
        assertEquals(0, fake.count(request -> request.method().equals("PUT")));
    }

    @Test
    void anotherFileSystemIsRefused() throws Exception {
        Path local = new Path("file:///nowhere/t/_delta_log/00000000000000000000.json");
        assertThrows(ConditionIgnoredException.class, () -> store.write(local, Actions.by("me"), false, conf));
    }

    @Test
    void theStoreIsProbedOnce() throws Exception {
        for (int version = 0; version < 3; version++) {
            store.write(S3.commit(bucket, "t" + version, 0), Actions.by("me"), false, conf);
        }
        new ConditionalS3LogStore(conf, SHORT).write(S3.commit(bucket, "t", 0), Actions.by("me"), false, conf);
        assertEquals(2, fake.count(Request::isProbe));
    }

    @Test
    void aProbeWhoseReplyIsLostSaysNothingWrong() throws Exception {
        conf.setInt("fs.s3a.attempts.maximum", 2);
        fake.fate = first(1, Request::isProbe, Fate.SERVED_WITHOUT_REPLY);
        commit();
        assertTrue(fake.names().contains(NAME));
    }

    @Test
    void aProbeThatMeetsAConflictIsTriedAgain() throws Exception {
        fake.fate = first(2, Request::isProbe, Fate.CONFLICT_409);
        commit();
        assertTrue(fake.names().contains(NAME));
    }

    @Test
    void aProbeThatCannotBeRemovedStopsNothing() throws Exception {
        fake.fate = always(request -> request.method().equals("DELETE"), Fate.FORBIDDEN_403);
        commit();
        assertTrue(fake.names().contains(NAME));
    }

    @Test
    void readersNeedNoRightToWrite() throws Exception {
        fake.put(NAME, "{\"protocol\":{}}\n");
        fake.fate = always(
                request -> !request.method().equals("GET") && !request.method().equals("HEAD"), Fate.FORBIDDEN_403);
        FileStatus listed = store.listFrom(path, conf).next();
        assertEquals(path, listed.getPath());
        try (var lines = store.read(path, conf)) {
            assertEquals("{\"protocol\":{}}", lines.next());
        }
        assertEquals(0, fake.count(request -> request.method().equals("PUT")));
    }

    @Test
    void aCommitPlannedFromAnotherVersionIsRefusedUnasked() {
        assertThrows(
                PlannedFromOlderVersionException.class,
                () -> store.write(path, Actions.plannedFrom(0), false, conf));
        assertTrue(fake.requests().isEmpty());
    }

    @Test
    void overwritingSetsNoCondition() throws Exception {
        Path checkpoint = new Path(path.getParent(), "_last_checkpoint");
        store.write(checkpoint, Actions.of("{\"version\":1}"), true, conf);
        store.write(checkpoint, Actions.of("{\"version\":2}"), true, conf);
        assertEquals("{\"version\":2}\n", fake.content("t/_delta_log/_last_checkpoint"));
        assertEquals(0, fake.count(Request::conditional));
    }

    @Test
    void aMissingLogIsNotAnEmptyOne() {
        assertThrows(FileNotFoundException.class, () -> store.listFrom(path, conf));
    }
}
