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
 * One writer's wish that an object of this content be made where none is.
 *
 * <p>Two writers never take each other's object for their own. Delta's commits differ, as each has a
 * transaction id in its commitInfo; where that is switched off, or for other files, the writer's own id does
 * it, which goes along as the object's metadata.
 */
final class PutAttempt {

    private static final String ID = "goldsmith-writer";
    private static final String ID_OPTION = "fs.s3a.create.header." + ID;
    private static final String ID_ATTRIBUTE = "header." + ID;

    /** Whose object is stored under the name. */
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
     * Puts the object under the condition that there is none.
     *
     * @throws IOException if it cannot be told that the object was stored, which does not mean that it wasn't
     */
    void put() throws IOException {
        FSDataOutputStreamBuilder<?, ?> file = store.createFile(path).overwrite(false);
        file.must(CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, true);
        file.opt(ID_OPTION, id);
        WholeObject.write(file.build(), content);
    }

    /** Asks the store whose object it holds. */
    Stored stored() throws IOException {
        try {
            Map<String, byte[]> attributes = store.getXAttrs(path);
            byte[] writer = attributes.get(ID_ATTRIBUTE);
            // A store that keeps no metadata leaves it to the content.
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
