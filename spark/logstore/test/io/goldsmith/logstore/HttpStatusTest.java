package io.goldsmith.logstore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.s3.model.S3Exception;

class HttpStatusTest {

    private static IOException answered(int status) {
        Throwable answer = S3Exception.builder().statusCode(status).message("409 412 500").build();
        return new IOException("412", new RuntimeException("409", answer));
    }

    @Test
    void theStatusIsFoundBelowOtherCauses() {
        assertEquals(OptionalInt.of(412), HttpStatus.of(answered(412)));
    }

    @Test
    void wordsAreNoStatus() {
        assertEquals(OptionalInt.empty(), HttpStatus.of(new IOException("Status Code: 412")));
    }

    @ParameterizedTest
    @CsvSource({
        "301, false", "400, false", "403, false", "404, false", "408, true", "409, true", "412, true",
        "429, true", "500, true", "501, false", "503, true"
    })
    void whatMayPassIsToldByTheStatus(int status, boolean mayPass) {
        assertEquals(mayPass, HttpStatus.mayPass(answered(status)));
    }
}
