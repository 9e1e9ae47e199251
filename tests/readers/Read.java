// Java's standard stream, and those of Apache Commons Compress.

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

class Read {
    /** Reports that nothing can be read without blocking, like a socket before data arrives. */
    private static final class Socket extends FilterInputStream {
        Socket(InputStream input) {
            super(input);
        }

        @Override
        public int available() {
            return 0;
        }
    }

    public static void main(String[] arguments) throws IOException {
        Path path = Path.of(arguments[1]);
        try (InputStream file = new BufferedInputStream(Files.newInputStream(path))) {
            switch (arguments[0]) {
                case "GZIPInputStream" -> print(new GZIPInputStream(file));
                case "available() == 0" -> print(new GZIPInputStream(new Socket(file)));
                case "commons" -> print(new GzipCompressorInputStream(file));
                case "commons, concatenated" -> print(new GzipCompressorInputStream(file, true));
                case "commons tar" -> extract(new GzipCompressorInputStream(file));
                case "commons tar, concatenated" ->
                    extract(new GzipCompressorInputStream(file, true));
                default -> throw new IllegalArgumentException(arguments[0]);
            }
        }
    }

    private static void print(InputStream input) throws IOException {
        input.transferTo(System.out);
        System.out.flush();
    }

    private static void extract(InputStream input) throws IOException {
        TarArchiveInputStream archive = new TarArchiveInputStream(input);
        for (TarArchiveEntry entry; (entry = archive.getNextTarEntry()) != null; ) {
            if (!entry.isFile()) {
                continue;
            }
            Path path = Path.of(entry.getName());
            Files.createDirectories(path.toAbsolutePath().getParent());
            try (OutputStream output = Files.newOutputStream(path)) {
                archive.transferTo(output);
            }
        }
    }
}
