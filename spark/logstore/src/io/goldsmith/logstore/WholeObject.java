package io.goldsmith.logstore;

import java.io.IOException;
import org.apache.hadoop.fs.FSDataOutputStream;

/** Writes the complete content of an object or creates no object. */
final class WholeObject {

    private WholeObject() {}

    static void write(FSDataOutputStream object, byte[] content) throws IOException {
        try {
            object.write(content);
        } catch (IOException | RuntimeException | Error failure) {
            // Closing would store the partial content as the complete object.
            object.abort();
            throw failure;
        }
        object.close();
    }
}
