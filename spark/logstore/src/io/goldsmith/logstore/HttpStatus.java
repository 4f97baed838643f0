package io.goldsmith.logstore;

import java.util.OptionalInt;
import software.amazon.awssdk.core.exception.SdkServiceException;

/** The HTTP status of a store's response, whatever exception S3A raised. */
final class HttpStatus {

    /** The store processes another put of the same key; possibly neither is stored yet. */
    static final int CONFLICT = 409;

    /** The condition is not met: the object exists. */
    static final int PRECONDITION_FAILED = 412;

    /** The store does not support the header. */
    static final int NOT_IMPLEMENTED = 501;

    private HttpStatus() {}

    /** The status in the chain of causes; none without a response. */
    static OptionalInt of(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SdkServiceException answer) {
                return OptionalInt.of(answer.statusCode());
            }
        }
        return OptionalInt.empty();
    }

    /**
     * Whether the same put may succeed later: without a response, after a conflict, a time-out, throttling or a
     * server error, or if the existing object was removed. The other statuses of 3xx and 4xx concern the request
     * itself.
     */
    static boolean mayPass(Throwable failure) {
        OptionalInt answer = of(failure);
        if (answer.isEmpty()) {
            return true;
        }
        int status = answer.getAsInt();
        return switch (status) {
            case 408, CONFLICT, PRECONDITION_FAILED, 429 -> true;
            case NOT_IMPLEMENTED -> false;
            default -> status >= 500;
        };
    }
}
