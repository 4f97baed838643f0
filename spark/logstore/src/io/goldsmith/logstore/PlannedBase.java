package io.goldsmith.logstore;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.Path;

/**
 * Checks that a commit was planned from the previous table version.
 *
 * <p>A commit contains that version as the integer {@code base} in the JSON object of its
 * {@code commitInfo.userMetadata}. A commit without it is not checked. The check accesses no storage, so any log
 * store can use it.
 */
public final class PlannedBase {

    // Delta writes commitInfo first. Only the first few actions are read, so a large commit is never buffered.
    private static final int FIRST_ACTIONS = 10;
    private static final String COMMIT_INFO = "commitInfo";
    private static final Pattern COMMIT_FILE = Pattern.compile("(\\d{20})\\.json");

    // A commit with many files may exceed Jackson's default limit on the length of a string.
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
            .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private PlannedBase() {}

    /**
     * Returns the same actions if they may be written as this file. Reads the first few of them ahead.
     *
     * @throws PlannedFromOlderVersionException if the file is version N of a table and the commit was planned
     *     from a version other than N - 1
     */
    public static Iterator<String> checked(Path file, Iterator<String> actions)
            throws PlannedFromOlderVersionException {
        OptionalLong version = versionOf(file);
        if (version.isEmpty()) {
            return actions;
        }
        List<String> first = new ArrayList<>();
        while (actions.hasNext() && first.size() < FIRST_ACTIONS) {
            String action = actions.next();
            first.add(action);
            OptionalLong base = baseOf(action);
            if (base.isPresent() && base.getAsLong() != version.getAsLong() - 1) {
                throw new PlannedFromOlderVersionException(
                        file.toString(), base.getAsLong(), version.getAsLong());
            }
        }
        return new Joined<>(first.iterator(), actions);
    }

    /** The version of a file of a Delta log, if it is a commit. */
    static OptionalLong versionOf(Path file) {
        Path folder = file.getParent();
        Matcher name = COMMIT_FILE.matcher(file.getName());
        if (folder == null || !folder.getName().equals("_delta_log") || !name.matches()) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(Long.parseLong(name.group(1)));
        } catch (NumberFormatException beyondAnyVersion) {
            return OptionalLong.empty();
        }
    }

    /** The base in an action, if it has one. */
    static OptionalLong baseOf(String action) {
        if (!action.contains(COMMIT_INFO)) {
            return OptionalLong.empty();
        }
        JsonNode metadata = parse(action).path(COMMIT_INFO).path("userMetadata");
        if (!metadata.isTextual()) {
            return OptionalLong.empty();
        }
        JsonNode base = parse(metadata.textValue()).path("base");
        return base.isIntegralNumber() && base.canConvertToLong()
                ? OptionalLong.of(base.longValue())
                : OptionalLong.empty();
    }

    // userMetadata is free text: text that is not JSON is not Goldsmith's.
    private static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException notJson) {
            return JSON.missingNode();
        }
    }

    private record Joined<T>(Iterator<T> first, Iterator<T> rest) implements Iterator<T> {
        @Override
        public boolean hasNext() {
            return first.hasNext() || rest.hasNext();
        }

        @Override
        public T next() {
            return first.hasNext() ? first.next() : rest.next();
        }
    }
}
