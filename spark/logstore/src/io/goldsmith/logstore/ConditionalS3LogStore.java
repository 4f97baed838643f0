package io.goldsmith.logstore;

import io.delta.storage.S3SingleDriverLogStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A Delta log store for S3 that supports concurrent drivers: {@code spark.delta.logStore.s3a.impl}.
 *
 * <p>A commit is a put under the condition that the object does not exist, so the store itself selects one of
 * several writers of a version. Reading and listing are inherited from Delta's own log store for S3. Its lock,
 * which works only within one process, is not used for writing.
 *
 * <p>A commit is buffered in memory while it is written, because it may be sent and compared more than once.
 */
public final class ConditionalS3LogStore extends S3SingleDriverLogStore {

    private final Backoff backoff;

    public ConditionalS3LogStore(Configuration hadoopConf) {
        this(hadoopConf, Backoff.DEFAULT);
    }

    ConditionalS3LogStore(Configuration hadoopConf, Backoff backoff) {
        super(hadoopConf);
        this.backoff = backoff;
    }

    /**
     * Writes a file of a Delta log, one action per line.
     *
     * @throws java.nio.file.FileAlreadyExistsException if the file exists and must not be overwritten
     * @throws PlannedFromOlderVersionException if the base of a commit is not the previous version
     * @throws ConditionIgnoredException if the store does not support conditional puts
     */
    @Override
    public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration hadoopConf)
            throws IOException {
        Iterator<String> checked = PlannedBase.checked(path, actions);
        FileSystem store = path.getFileSystem(hadoopConf);
        Path file = store.makeQualified(path);
        byte[] content = lines(checked);
        if (overwrite) {
            WholeObject.write(store.create(file, true), content);
        } else {
            ConditionProbe.ensure(store, file.getParent(), backoff);
            new Creation(new PutAttempt(store, file, content), backoff).run();
        }
    }

    private static byte[] lines(Iterator<String> actions) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        while (actions.hasNext()) {
            content.writeBytes(actions.next().getBytes(StandardCharsets.UTF_8));
            content.write('\n');
        }
        return content.toByteArray();
    }
}
