package io.goldsmith.logstore;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Completes a put with a definite result. After a failed put the object may be stored although the response was
 * lost, and the client that repeated it is then refused because of its own object. So after each failure this
 * class reads from the store whose object it has.
 */
final class Creation {

    private static final Logger LOG = LoggerFactory.getLogger(Creation.class);

    private final PutAttempt attempt;
    private final Backoff backoff;

    Creation(PutAttempt attempt, Backoff backoff) {
        this.attempt = attempt;
        this.backoff = backoff;
    }

    /**
     * Returns once the store has this attempt's object.
     *
     * @throws FileAlreadyExistsException if it has another object
     * @throws IOException if it has none, as far as known
     */
    void run() throws IOException {
        Backoff.Pauses pauses = backoff.start();
        while (true) {
            IOException failure = put();
            if (failure == null || isOwn(failure)) {
                return;
            }
            if (!HttpStatus.mayPass(failure) || !pauses.next()) {
                throw failure;
            }
            LOG.info("Retrying the put of {} after {}", attempt.path(), failure.toString());
        }
    }

    private IOException put() throws IOException {
        try {
            attempt.put();
            return null;
        } catch (IOException failure) {
            Interruption.rethrow(failure);
            return failure;
        }
    }

    private boolean isOwn(IOException failure) throws IOException {
        PutAttempt.Stored stored;
        try {
            stored = attempt.stored();
        } catch (IOException unanswered) {
            Interruption.rethrow(unanswered);
            failure.addSuppressed(unanswered);
            return false;
        }
        if (stored == PutAttempt.Stored.ANOTHER) {
            FileAlreadyExistsException exists = new FileAlreadyExistsException(attempt.path().toString());
            exists.initCause(failure);
            throw exists;
        }
        if (stored == PutAttempt.Stored.OWN) {
            LOG.info("{} was stored although its put failed: {}", attempt.path(), failure.toString());
        }
        return stored == PutAttempt.Stored.OWN;
    }
}
