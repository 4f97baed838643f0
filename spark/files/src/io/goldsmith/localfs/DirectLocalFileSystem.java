package io.goldsmith.localfs;

import org.apache.hadoop.fs.LocalFileSystem;

/** Local files with checksums, without a process for each: the setting {@code fs.file.impl}. */
public final class DirectLocalFileSystem extends LocalFileSystem {

    public DirectLocalFileSystem() {
        super(new DirectFiles());
    }
}
