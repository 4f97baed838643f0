package io.goldsmith.logstore;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.CreateFileOptionKeys;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks, once per process and bucket, that a store supports conditional puts: of two puts of one new key the
 * second must be refused.
 *
 * <p>The key is in the folder of the file to be written, where the writer has permission; readers do not run
 * this check. Its name starts with a dot, which sorts before all files of a Delta log. So a listing from a
 * version on does not contain it, and other readers treat it as hidden.
 */
final class ConditionProbe {

    private static final Logger LOG = LoggerFactory.getLogger(ConditionProbe.class);
    private static final byte[] CONTENT = "Goldsmith asks whether this store does conditional puts.\n"
            .getBytes(StandardCharsets.UTF_8);
    private static final Set<String> SURE = ConcurrentHashMap.newKeySet();

    private ConditionProbe() {}

    /**
     * Returns if the store supports the condition. Two threads may check concurrently: their keys differ.
     *
     * @throws ConditionIgnoredException if it does not
     */
    static void ensure(FileSystem store, Path folder, Backoff backoff) throws IOException {
        String bucket = store.getUri() + " at " + ConditionIgnoredException.endpoint(store);
        if (!SURE.contains(bucket)) {
            if (!store.hasPathCapability(folder, CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE)) {
                throw ConditionIgnoredException.refused(store, null);
            }
            probe(store, new Path(folder, ".goldsmith-probe-" + UUID.randomUUID()), backoff);
            SURE.add(bucket);
        }
    }

    private static void probe(FileSystem store, Path key, Backoff backoff) throws IOException {
        boolean first = accepted(store, key, backoff);
        try {
            // A new key is refused if the response to its put was lost and the client repeated it.
            if (first && accepted(store, key, backoff)) {
                throw ConditionIgnoredException.ignored(store);
            }
        } finally {
            remove(store, key);
        }
    }

    private static boolean accepted(FileSystem store, Path key, Backoff backoff) throws IOException {
        Backoff.Pauses pauses = backoff.start();
        while (true) {
            try {
                new PutAttempt(store, key, CONTENT).put();
                return true;
            } catch (IOException failure) {
                int status = HttpStatus.of(failure).orElse(0);
                if (status == HttpStatus.PRECONDITION_FAILED) {
                    return false;
                }
                if (status == HttpStatus.NOT_IMPLEMENTED) {
                    throw ConditionIgnoredException.refused(store, failure);
                }
                if (status != HttpStatus.CONFLICT || !pauses.next()) {
                    throw failure;
                }
            }
        }
    }

    private static void remove(FileSystem store, Path key) {
        try {
            store.delete(key, false);
        } catch (IOException failure) {
            Interruption.keep(failure);
            LOG.warn("{} could not be removed; it is of no use and harms nothing", key, failure);
        }
    }
}
