package io.goldsmith.logstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlannedBaseTest {

    private static final Path SEVENTH = new Path("s3a://b/t/_delta_log/00000000000000000007.json");

    private static List<String> written(Path file, Iterator<String> actions) throws Exception {
        List<String> lines = new ArrayList<>();
        PlannedBase.checked(file, actions).forEachRemaining(lines::add);
        return lines;
    }

    private static List<String> listed(Iterator<String> actions) {
        List<String> lines = new ArrayList<>();
        actions.forEachRemaining(lines::add);
        return lines;
    }

    @Test
    void aCommitPlannedFromTheVersionBeforeIsWrittenWhole() throws Exception {
        assertEquals(listed(Actions.plannedFrom(6)), written(SEVENTH, Actions.plannedFrom(6)));
    }

    @ParameterizedTest
    @ValueSource(longs = {5, 7, -1, Long.MIN_VALUE, Long.MAX_VALUE})
    void aCommitPlannedFromAnotherVersionIsRefused(long base) {
        PlannedFromOlderVersionException refusal = assertThrows(
                PlannedFromOlderVersionException.class,
                () -> PlannedBase.checked(SEVENTH, Actions.plannedFrom(base)));
        assertEquals(base, refusal.base());
        assertEquals(7, refusal.version());
    }

    @Test
    void theFirstVersionIsPlannedFromNone() throws Exception {
        Path first = new Path("file:/t/_delta_log/00000000000000000000.json");
        assertEquals(2, written(first, Actions.plannedFrom(-1)).size());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "",
        "nightly load",
        "5",
        "null",
        "{",
        "[5]",
        "{\"base\":5} and more",
        "{\"base\":\"5\"}",
        "{\"base\":5.0}",
        "{\"base\":null}",
        "{\"base\":99999999999999999999}",
        "{\"of\":{\"base\":5}}"
    })
    void metadataWithoutAnIntegerBaseIsNoCheck(String metadata) throws Exception {
        String quoted = metadata.replace("\"", "\\\"");
        String info = "{\"commitInfo\":{\"userMetadata\":\"" + quoted + "\"}}";
        assertEquals(List.of(info), written(SEVENTH, Actions.of(info)));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{\"commitInfo\":{\"operation\":\"WRITE\"}}",
        "{\"commitInfo\":{\"userMetadata\":{\"base\":5}}}",
        "{\"commitInfo\":{\"userMetadata\":5}}",
        "{\"commitInfo\":null}",
        "{\"add\":{\"path\":\"a\",\"tags\":{\"commitInfo\":\"{\\\"base\\\":5}\"}}}",
        "commitInfo, and no JSON"
    })
    void anActionWithoutSuchMetadataIsNoCheck(String action) {
        assertEquals(OptionalLong.empty(), PlannedBase.baseOf(action));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "s3a://b/t/_delta_log/_last_checkpoint",
        "s3a://b/t/_delta_log/00000000000000000007.checkpoint.parquet",
        "s3a://b/t/_delta_log/00000000000000000007.crc",
        "s3a://b/t/_delta_log/7.json",
        "s3a://b/t/_delta_log/99999999999999999999.json",
        "s3a://b/t/00000000000000000007.json"
    })
    void anotherFileIsNoCheck(String file) throws Exception {
        assertEquals(2, written(new Path(file), Actions.plannedFrom(5)).size());
    }

    @Test
    void theInformationMayComeAfterOtherActions() {
        List<String> actions = new ArrayList<>(List.of("{\"protocol\":{}}", "{\"metaData\":{}}"));
        Actions.plannedFrom(5).forEachRemaining(actions::add);
        assertThrows(
                PlannedFromOlderVersionException.class, () -> PlannedBase.checked(SEVENTH, actions.iterator()));
    }

    @Test
    void aLargeCommitIsNotReadAhead() throws Exception {
        Iterator<String> endless = new Iterator<>() {
            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public String next() {
                return "{\"add\":{}}";
            }
        };
        assertEquals("{\"add\":{}}", PlannedBase.checked(SEVENTH, endless).next());
    }

    @Test
    void metadataMayBeLong() {
        String files = String.join("", Collections.nCopies(3_000_000, "0123456789"));
        String info = "{\"commitInfo\":{\"userMetadata\":\"{\\\"base\\\":5,\\\"files\\\":\\\"" + files + "\\\"}\"}}";
        assertEquals(OptionalLong.of(5), PlannedBase.baseOf(info));
    }

    @Test
    void nothingIsWrittenWhereThereIsNothing() throws Exception {
        assertFalse(PlannedBase.checked(SEVENTH, Collections.emptyIterator()).hasNext());
    }
}
