package io.goldsmith.zip;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;
import org.apache.hadoop.io.compress.CompressionInputStream;

/**
 * The bytes of the only file in a ZIP file. A second file is an error: its rows would be lost.
 *
 * <p>As in {@code zipped.py}, folders and what macOS adds to its ZIP files do not count.
 */
final class OnlyMember extends CompressionInputStream {

    private final ZipInputStream members;
    private boolean ended;

    OnlyMember(InputStream zipped) throws IOException {
        super(zipped);
        // Names in other encodings than UTF-8 would be an error in it.
        members = new ZipInputStream(zipped, StandardCharsets.ISO_8859_1);
        if (!nextFile()) {
            throw new ZipException("it has no file");
        }
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (ended) {
            return -1;
        }
        int count = members.read(target, offset, length);
        if (count < 0) {
            ended = true;
            if (nextFile()) {
                throw new ZipException("it has more than one file");
            }
        }
        return count;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        int count = read(one, 0, 1);
        return count < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public void resetState() {
        throw new UnsupportedOperationException("A ZIP file is read once.");
    }

    private boolean nextFile() throws IOException {
        for (ZipEntry entry = members.getNextEntry(); entry != null; entry = members.getNextEntry()) {
            if (!entry.isDirectory() && !entry.getName().startsWith("__MACOSX/")) {
                return true;
            }
        }
        return false;
    }
}
