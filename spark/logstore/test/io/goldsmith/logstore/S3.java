package io.goldsmith.logstore;

import java.net.URI;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** How the tests reach a store: the address and keys of the real one come from the environment. */
final class S3 {

    static final URI REAL = URI.create(required("GOLDSMITH_TEST_S3_ENDPOINT"));
    private static final String ACCESS_KEY = required("GOLDSMITH_TEST_S3_ACCESS_KEY");
    private static final String SECRET_KEY = required("GOLDSMITH_TEST_S3_SECRET_KEY");

    private S3() {}

    private static String required(String name) {
        String value = System.getenv(name);
        if (value == null) {
            throw new IllegalStateException(name + " is not set");
        }
        return value;
    }

    /** Settings for one store; Hadoop keeps one client for each bucket and user. */
    static Configuration settings(URI endpoint) {
        Configuration conf = new Configuration();
        conf.set("fs.s3a.endpoint", endpoint.toString());
        conf.set("fs.s3a.endpoint.region", "us-east-1");
        conf.set("fs.s3a.path.style.access", "true");
        conf.set("fs.s3a.connection.ssl.enabled", "false");
        conf.set("fs.s3a.aws.credentials.provider", "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider");
        conf.set("fs.s3a.access.key", ACCESS_KEY);
        conf.set("fs.s3a.secret.key", SECRET_KEY);
        return conf;
    }

    /** Makes a bucket of its own in the real store. */
    static String bucket() {
        String name = "logstore-" + UUID.randomUUID();
        try (S3Client client = client()) {
            client.createBucket(request -> request.bucket(name));
        }
        return name;
    }

    static S3Client client() {
        return S3Client.builder()
                .endpointOverride(REAL)
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)))
                .build();
    }

    /** A version's file in the log of a table. */
    static Path commit(String bucket, String table, long version) {
        return new Path(String.format("s3a://%s/%s/_delta_log/%020d.json", bucket, table, version));
    }
}
