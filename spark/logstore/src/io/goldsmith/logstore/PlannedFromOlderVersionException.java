package io.goldsmith.logstore;

import java.io.IOException;

/**
 * A commit was not planned from the previous version, because of a commit in between.
 *
 * <p>Not a {@link java.nio.file.FileAlreadyExistsException}, on which Delta would retry the commit as the next
 * version without planning it again.
 */
public final class PlannedFromOlderVersionException extends IOException {

    private static final long serialVersionUID = 1L;

    private final long base;
    private final long version;

    PlannedFromOlderVersionException(String file, long base, long version) {
        super("The commit " + file + " was planned from version " + base + ", not from the previous version "
                + (version - 1) + ". Plan it again.");
        this.base = base;
        this.version = version;
    }

    /** The table version that the commit was planned from. */
    public long base() {
        return base;
    }

    /** The version of the refused commit. */
    public long version() {
        return version;
    }
}
