package io.goldsmith.logstore;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.CreateFileOptionKeys;
import org.apache.hadoop.fs.Path;

/**
 * One writer's attempt to create an object with this content.
 *
 * <p>Writers can distinguish their objects. Delta's commits differ by the transaction id in commitInfo. If that
 * is disabled, or for other files, the object's metadata contains a random id of the writer.
 */
final class PutAttempt {

    private static final String ID = "goldsmith-writer";
    private static final String ID_OPTION = "fs.s3a.create.header." + ID;
    private static final String ID_ATTRIBUTE = "header." + ID;

    /** The owner of the stored object. */
    enum Stored {
        NOTHING,
        OWN,
        ANOTHER
    }

    private final FileSystem store;
    private final Path path;
    private final byte[] content;
    private final String id = UUID.randomUUID().toString();

    PutAttempt(FileSystem store, Path path, byte[] content) {
        this.store = store;
        this.path = path;
        this.content = content;
    }

    Path path() {
        return path;
    }

    /**
     * Puts the object under the condition that it does not exist.
     *
     * @throws IOException if it is unknown whether the object was stored
     */
    void put() throws IOException {
        FSDataOutputStreamBuilder<?, ?> file = store.createFile(path).overwrite(false);
        file.must(CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, true);
        file.opt(ID_OPTION, id);
        WholeObject.write(file.build(), content);
    }

    /** Reads from the store whose object it has. */
    Stored stored() throws IOException {
        try {
            Map<String, byte[]> attributes = store.getXAttrs(path);
            byte[] writer = attributes.get(ID_ATTRIBUTE);
            // For a store without metadata only the content decides.
            if (writer != null && !id.equals(new String(writer, StandardCharsets.UTF_8))) {
                return Stored.ANOTHER;
            }
            try (InputStream in = store.open(path)) {
                return Arrays.equals(in.readNBytes(content.length + 1), content) ? Stored.OWN : Stored.ANOTHER;
            }
        } catch (FileNotFoundException absent) {
            return Stored.NOTHING;
        }
    }
}
