package io.goldsmith.logstore;

import java.io.IOException;

/**
 * A commit was planned from another version than the one before it: something was committed in between.
 *
 * <p>Not a {@link java.nio.file.FileAlreadyExistsException}, on which Delta would move the commit behind the
 * other one without planning it again.
 */
public final class PlannedFromOlderVersionException extends IOException {

    private static final long serialVersionUID = 1L;

    private final long base;
    private final long version;

    PlannedFromOlderVersionException(String file, long base, long version) {
        super("The commit " + file + " was planned from version " + base + ", and not from version "
                + (version - 1) + " which is before it: plan it again.");
        this.base = base;
        this.version = version;
    }

    /** The table version that the commit was planned from. */
    public long base() {
        return base;
    }

    /** The version that it was about to become. */
    public long version() {
        return version;
    }
}
