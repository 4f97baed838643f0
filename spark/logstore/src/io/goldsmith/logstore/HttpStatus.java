package io.goldsmith.logstore;

import java.util.OptionalInt;
import software.amazon.awssdk.core.exception.SdkServiceException;

/** The HTTP status with which a store answered, whatever S3A made of it. */
final class HttpStatus {

    /** The store takes another put of the same key first; neither may have been stored yet. */
    static final int CONFLICT = 409;

    /** The condition does not hold: the object is there. */
    static final int PRECONDITION_FAILED = 412;

    /** The store does not know the header. */
    static final int NOT_IMPLEMENTED = 501;

    private HttpStatus() {}

    /** The status in the chain of causes; none where the store did not answer. */
    static OptionalInt of(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SdkServiceException answer) {
                return OptionalInt.of(answer.statusCode());
            }
        }
        return OptionalInt.empty();
    }

    /**
     * Whether the same put may succeed later. So it may where the store did not answer, for a conflict, a
     * time-out, throttling and the store's own errors; also where the object that stood in the way is gone.
     * The other statuses of 3xx and 4xx are about the request itself.
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
