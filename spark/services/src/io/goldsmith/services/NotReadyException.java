package io.goldsmith.services;

/** The environment is not ready: a code of docs/errors.md, what is wrong, and what to do. */
final class NotReadyException extends Exception {
    private static final long serialVersionUID = 1L;

    NotReadyException(String code, String message, String hint) {
        super(code + " " + message + System.lineSeparator() + "  " + hint);
    }
}
