package io.goldsmith.logstore;

import java.io.IOException;
import org.apache.hadoop.fs.FSDataOutputStream;

/** Writes all of an object's content or leaves no object. */
final class WholeObject {

    private WholeObject() {}

    static void write(FSDataOutputStream object, byte[] content) throws IOException {
        try {
            object.write(content);
        } catch (IOException | RuntimeException | Error failure) {
            // Closing would store what was taken so far as if it were everything.
            object.abort();
            throw failure;
        }
        object.close();
    }
}
