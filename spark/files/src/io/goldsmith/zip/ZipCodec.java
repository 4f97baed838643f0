package io.goldsmith.zip;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionInputStream;
import org.apache.hadoop.io.compress.CompressionOutputStream;
import org.apache.hadoop.io.compress.Compressor;
import org.apache.hadoop.io.compress.Decompressor;

/** ZIP files with one file in them as compressed files: an entry of the setting {@code io.compression.codecs}. */
public final class ZipCodec implements CompressionCodec {

    @Override
    public String getDefaultExtension() {
        return ".zip";
    }

    @Override
    public CompressionInputStream createInputStream(InputStream zipped) throws IOException {
        return new OnlyMember(zipped);
    }

    @Override
    public CompressionInputStream createInputStream(InputStream zipped, Decompressor none) throws IOException {
        return createInputStream(zipped);
    }

    @Override
    public Class<? extends Decompressor> getDecompressorType() {
        return null;
    }

    @Override
    public Decompressor createDecompressor() {
        return null;
    }

    @Override
    public CompressionOutputStream createOutputStream(OutputStream target) {
        throw new UnsupportedOperationException("ZIP files are only read.");
    }

    @Override
    public CompressionOutputStream createOutputStream(OutputStream target, Compressor none) {
        return createOutputStream(target);
    }

    @Override
    public Class<? extends Compressor> getCompressorType() {
        return null;
    }

    @Override
    public Compressor createCompressor() {
        return null;
    }
}
