/*
 * Extracts archives like `bsdtar -x` run by an unprivileged user, one after another and without a
 * process for each.
 *
 * A request on standard input: the path of a directory (32-bit length, bytes), an archive (32-bit
 * length, bytes).
 * The reply on standard output: the status (one byte), the messages (32-bit length, bytes).
 * Numbers are in native byte order.
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Time limit for one archive. A hang ends the process, and the caller starts another one. */
enum { SECONDS = 20 };

static char messages[1 << 16];
static size_t messages_len;

static void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t space = sizeof messages - messages_len;
    int len = vsnprintf(messages + messages_len, space, format, arguments);
    va_end(arguments);
    if (len > 0) messages_len += (size_t)len < space ? (size_t)len : space - 1;
}

/* Like bsdtar's function of this name. */
static const char *strip_absolute_path(const char *p) {
    if ((p[0] == '/' || p[0] == '\\') && (p[1] == '/' || p[1] == '\\') &&
        (p[2] == '.' || p[2] == '?') && (p[3] == '/' || p[3] == '\\')) {
        if (p[2] == '?' && (p[4] == 'U' || p[4] == 'u') && (p[5] == 'N' || p[5] == 'n') &&
            (p[6] == 'C' || p[6] == 'c') && (p[7] == '/' || p[7] == '\\'))
            p += 8;
        else
            p += 4;
    }
    const char *before;
    do {
        before = p;
        if (((p[0] >= 'a' && p[0] <= 'z') || (p[0] >= 'A' && p[0] <= 'Z')) && p[1] == ':') p += 2;
        while (p[0] == '/' || p[0] == '\\') {
            if (p[1] == '.' && p[2] == '.' && (p[3] == '/' || p[3] == '\\'))
                p += 3;
            else if (p[1] == '.' && (p[2] == '/' || p[2] == '\\'))
                p += 2;
            else
                p += 1;
        }
    } while (before != p);
    return p;
}

/* Strips absolute paths from the names. Returns whether to extract the entry. */
static int edit_names(struct archive_entry *entry) {
    const char *hardlink = archive_entry_hardlink(entry);
    if (hardlink != NULL) {
        const char *stripped = strip_absolute_path(hardlink);
        if (*stripped == '\0') return 0;
        if (stripped != hardlink) {
            char *copy = strdup(stripped);
            archive_entry_copy_hardlink(entry, copy);
            free(copy);
        }
    }
    const char *name = archive_entry_pathname(entry);
    const char *stripped = strip_absolute_path(name);
    if (*stripped == '\0') stripped = ".";
    if (stripped != name) {
        char *copy = strdup(stripped);
        archive_entry_copy_pathname(entry, copy);
        free(copy);
    }
    return 1;
}

static int extract(const void *tar, size_t len) {
    int status = 0;
    struct archive *archive = archive_read_new();
    struct archive *disk = archive_write_disk_new();
    archive_read_support_format_tar(archive);
    archive_write_disk_set_standard_lookup(disk);
    archive_write_disk_set_options(disk, ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                             ARCHIVE_EXTRACT_SECURE_NODOTDOT);
    int opened = archive_read_open_memory(archive, tar, len);
    if (opened != ARCHIVE_OK) {
        say("%s\n", archive_error_string(archive));
        status = 1;
    }
    while (opened == ARCHIVE_OK) {
        struct archive_entry *entry;
        int r = archive_read_next_header(archive, &entry);
        if (r == ARCHIVE_EOF) break;
        if (r < ARCHIVE_OK) say("%s\n", archive_error_string(archive));
        if (r <= ARCHIVE_WARN) status = 1;
        if (r == ARCHIVE_RETRY) continue;
        if (r == ARCHIVE_FATAL) break;
        const char *name = archive_entry_pathname(entry);
        if (name == NULL || name[0] == '\0') {
            say("empty or unreadable name\n");
            status = 1;
            continue;
        }
        if (!edit_names(entry)) continue;
        r = archive_read_extract2(archive, entry, disk);
        if (r != ARCHIVE_OK) {
            say("%s: %s\n", archive_entry_pathname(entry), archive_error_string(archive));
            status = 1;
        }
        if (r == ARCHIVE_FATAL) break;
    }
    archive_read_free(archive);
    archive_write_free(disk);
    return status;
}

static void get(void *into, size_t len) {
    if (fread(into, 1, len, stdin) != len) exit(0);
}

static char *get_counted(uint32_t *len) {
    get(len, sizeof *len);
    char *bytes = malloc((size_t)*len + 1);
    if (bytes == NULL) exit(2);
    get(bytes, *len);
    bytes[*len] = '\0';
    return bytes;
}

int main(void) {
    umask(022);
    if (geteuid() == 0) {
        fputs("must not run as root: it would create device nodes\n", stderr);
        return 2;
    }
    for (;;) {
        uint32_t len;
        char *folder = get_counted(&len);
        char *tar = get_counted(&len);
        if (chdir(folder) != 0) {
            perror(folder);
            return 2;
        }
        messages_len = 0;
        alarm(SECONDS);
        uint8_t status = (uint8_t)extract(tar, len);
        alarm(0);
        free(folder);
        free(tar);
        uint32_t reply = (uint32_t)messages_len;
        fwrite(&status, 1, 1, stdout);
        fwrite(&reply, sizeof reply, 1, stdout);
        fwrite(messages, 1, messages_len, stdout);
        if (fflush(stdout) != 0) return 2;
    }
}
