package io.goldsmith.services;

/** The environment is not ready. It has a code of docs/errors.md, a message and a hint. */
final class NotReadyException extends Exception {
    private static final long serialVersionUID = 1L;

    NotReadyException(String code, String message, String hint) {
        super(code + " " + message + System.lineSeparator() + "  " + hint);
    }
}
