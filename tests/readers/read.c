/* zlib, used in the two ways that are common in C programs. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static unsigned char in[65536], out[65536];

/* The loop of zlib's example. It ends with the stream, which is one member. */
static int with_inflate(const char *path)
{
    FILE *file = fopen(path, "rb");
    z_stream stream = {0};
    int status = Z_OK;

    if (!file || inflateInit2(&stream, 31) != Z_OK)
        return 1;
    while (status != Z_STREAM_END) {
        stream.avail_in = fread(in, 1, sizeof in, file);
        if (stream.avail_in == 0)
            return 1;
        stream.next_in = in;
        do {
            stream.avail_out = sizeof out;
            stream.next_out = out;
            status = inflate(&stream, Z_NO_FLUSH);
            if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
                return 1;
            fwrite(out, 1, sizeof out - stream.avail_out, stdout);
        } while (stream.avail_out == 0 && status != Z_STREAM_END);
    }
    return 0;
}

static int with_gzread(const char *path)
{
    gzFile file = gzopen(path, "rb");
    int count;

    if (!file)
        return 1;
    while ((count = gzread(file, out, sizeof out)) > 0)
        fwrite(out, 1, count, stdout);
    return count < 0 || gzclose(file) != Z_OK;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "version"))
        return puts(zlibVersion()) < 0;
    if (argc == 3 && !strcmp(argv[1], "inflate"))
        return with_inflate(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "gzread"))
        return with_gzread(argv[2]);
    return 64;
}
