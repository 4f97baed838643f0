package io.goldsmith.localfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * Hadoop's local files, without a process for each.
 *
 * <p>Without its native library, which PySpark does not ship, Hadoop starts {@code chmod} for each file that it creates
 * and {@code readlink} for each that it renames.
 */
final class DirectFiles extends RawLocalFileSystem {

    private static final String MODE = "unix:mode";
    private static final int PERMISSIONS = 01777;
    private static final int SPECIAL = 06000;

    @Override
    public void setPermission(org.apache.hadoop.fs.Path path, FsPermission permission) throws IOException {
        Path file = pathToFile(path).toPath();
        if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            super.setPermission(path, permission);
            return;
        }
        int before = (int) Files.getAttribute(file, MODE);
        // As chmod does, a folder keeps the bits by which new files inherit its group.
        int kept = Files.isDirectory(file) ? before & SPECIAL : 0;
        int wanted = permission.toShort() & PERMISSIONS | kept;
        if ((before & (PERMISSIONS | SPECIAL)) != wanted) {
            Files.setAttribute(file, MODE, wanted);
        }
    }

    @Override
    public FileStatus getFileLinkStatus(org.apache.hadoop.fs.Path path) throws IOException {
        boolean link = Files.isSymbolicLink(pathToFile(path).toPath());
        return link ? super.getFileLinkStatus(path) : getFileStatus(path);
    }
}
