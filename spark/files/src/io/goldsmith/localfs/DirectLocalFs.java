package io.goldsmith.localfs;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFs;
import org.apache.hadoop.fs.DelegateToFileSystem;
import org.apache.hadoop.fs.FsConstants;
import org.apache.hadoop.fs.FsServerDefaults;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.local.LocalConfigKeys;

/**
 * Local files with checksums, without a process for each: the setting {@code fs.AbstractFileSystem.file.impl}.
 *
 * <p>Delta renames the files of its log through this interface.
 */
public final class DirectLocalFs extends ChecksumFs {

    public DirectLocalFs(URI address, Configuration conf) throws IOException, URISyntaxException {
        super(new Direct(address, conf));
    }

    private static final class Direct extends DelegateToFileSystem {

        Direct(URI address, Configuration conf) throws IOException, URISyntaxException {
            super(address, new DirectFiles(), conf, FsConstants.LOCAL_FS_URI.getScheme(), false);
        }

        @Override
        public int getUriDefaultPort() {
            return -1;
        }

        @Override
        public FsServerDefaults getServerDefaults(Path path) throws IOException {
            return LocalConfigKeys.getServerDefaults();
        }

        @Override
        public boolean isValidName(String name) {
            return true;
        }
    }
}
