import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;

/**
 * Prints `= NUMBER` before each zip and `sha256 name` of every file in it:
 * `java ReadZip.java file|stream ZIP...`.
 */
public final class ReadZip {
    public static void main(String[] args) throws Exception {
        System.setOut(new java.io.PrintStream(System.out, false, StandardCharsets.UTF_8));
        for (int number = 1; number < args.length; number++) {
            System.out.println("= " + (number - 1));
            read(args[0].equals("file"), args[number]);
        }
        System.out.flush();
    }

    private static void read(boolean byDirectory, String path) throws Exception {
        if (byDirectory) {
            try (ZipFile zip = new ZipFile(path)) {
                for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements();) {
                    ZipEntry entry = all.nextElement();
                    try (InputStream data = zip.getInputStream(entry)) {
                        print(entry, data);
                    }
                }
            }
            return;
        }
        try (ZipInputStream zip = new ZipInputStream(new java.io.BufferedInputStream(
                new java.io.FileInputStream(path), 1 << 16))) {
            for (ZipEntry entry; (entry = zip.getNextEntry()) != null;) {
                print(entry, zip);
            }
        }
    }

    private static void print(ZipEntry entry, InputStream data) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        CRC32 check = new CRC32();
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = data.read(buffer)) > 0;) {
            digest.update(buffer, 0, count);
            check.update(buffer, 0, count);
        }
        // ZipFile leaves the check value to its callers.
        if (entry.getCrc() != -1 && entry.getCrc() != check.getValue()) {
            throw new java.util.zip.ZipException("wrong check value: " + entry.getName());
        }
        if (!entry.isDirectory()) {
            System.out.println(HexFormat.of().formatHex(digest.digest()) + " " + entry.getName());
        }
    }
}
