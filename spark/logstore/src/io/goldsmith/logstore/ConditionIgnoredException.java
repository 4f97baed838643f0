package io.goldsmith.logstore;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** A store does not support conditional puts, so commits to it could be lost. The message starts with the code. */
public final class ConditionIgnoredException extends IOException {

    private static final long serialVersionUID = 1L;
    private static final String CODE = "GS420";

    private ConditionIgnoredException(FileSystem store, String what, String hint, Throwable cause) {
        super(CODE + " " + place(store) + " " + what + " " + hint, cause);
    }

    /** The store accepted both of two conditional puts of a key. */
    static ConditionIgnoredException ignored(FileSystem store) {
        return new ConditionIgnoredException(
                store,
                "ignores `If-None-Match: *`: it replaced an existing object, so one of two drivers could lose a"
                        + " commit without an error. Nothing was committed.",
                "Use a store with conditional writes, or a version of this one that supports them.",
                null);
    }

    /** The store or the client refuses the condition itself. */
    static ConditionIgnoredException refused(FileSystem store, Throwable cause) {
        return new ConditionIgnoredException(
                store,
                "refuses `If-None-Match: *`, without which one of two drivers could lose a commit. Nothing was"
                        + " committed.",
                "Use a store with conditional writes, and keep fs.s3a.create.conditional.enabled at true.",
                cause);
    }

    private static String place(FileSystem store) {
        return "The store of " + store.getUri() + " (endpoint " + endpoint(store) + ")";
    }

    /** The configured endpoint of a bucket. */
    static String endpoint(FileSystem store) {
        Configuration conf = store.getConf();
        URI bucket = store.getUri();
        String shared = conf.getTrimmed("fs.s3a.endpoint", "");
        String own = conf.getTrimmed("fs.s3a.bucket." + bucket.getHost() + ".endpoint", shared);
        return own.isEmpty() ? "of the region " + conf.getTrimmed("fs.s3a.endpoint.region", "by default") : own;
    }
}
