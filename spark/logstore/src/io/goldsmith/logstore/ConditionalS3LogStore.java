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
 * A Delta log store for S3 on which any number of drivers may commit: {@code spark.delta.logStore.s3a.impl}.
 *
 * <p>A commit is a put under the condition that there is no such object, so that the store itself lets one of
 * several writers of a version win. Reading and listing are those of Delta's own log store for S3, whose lock
 * within one process, which is all it has for writing, is not used.
 *
 * <p>A commit is held in memory while it is written, as it may have to be sent and compared more than once.
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
     * Writes a file of a Delta log, one action a line.
     *
     * @throws java.nio.file.FileAlreadyExistsException if there is one already and it is not to be overwritten
     * @throws PlannedFromOlderVersionException if a commit names as its base another version than the one before
     * @throws ConditionIgnoredException if the store does not do conditional puts
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
