/*
 * Tests the library as a C program sees it.
 *
 *     test software           everything that needs no accelerator
 *     test device             blocks on an accelerator that keeps failing (uadk-sim)
 *     test exchange DIR       reads DIR/NAME and DIR/in.FORMAT, writes DIR/out.FORMAT
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define BLOCK 16384

static uadk_compressor *create(const char *options) {
    uadk_compressor *compressor = NULL;
    CHECK(uadk_compressor_new(options, &compressor) == UADK_STATUS_OK);
    CHECK(compressor != NULL);
    return compressor;
}

static uadk_compressor *create_format(const char *format, const char *more) {
    char options[256];
    snprintf(options, sizeof options, "format=%s; %s", format, more);
    return create(options);
}

/* Compresses a block into fresh memory, so that valgrind and ASan see the exact bounds. */
static unsigned char *compress(const uadk_compressor *compressor, const unsigned char *block,
                               size_t len, size_t *compressed_len) {
    size_t capacity = uadk_compressor_max_compressed_len(compressor, len);
    CHECK(capacity > 0);
    unsigned char *compressed = malloc(capacity);
    CHECK(compressed != NULL);
    CHECK(uadk_compressor_compress(compressor, block, len, compressed, capacity, compressed_len) ==
          UADK_STATUS_OK);
    CHECK(*compressed_len > 0 && *compressed_len <= capacity);
    return compressed;
}

/* Compresses and decompresses a block. Returns its compressed length. */
static size_t round_trip(const uadk_compressor *compressor, const unsigned char *block,
                         size_t len) {
    size_t compressed_len = 0, restored_len = 99;
    unsigned char *compressed = compress(compressor, block, len, &compressed_len);
    CHECK(uadk_compressor_max_decompressed_len(compressor, compressed_len) >= len);
    unsigned char *restored = malloc(len + 1);
    CHECK(restored != NULL);
    CHECK(uadk_compressor_decompress(compressor, compressed, compressed_len, restored, len,
                                     &restored_len) == UADK_STATUS_OK);
    CHECK(restored_len == len && (len == 0 || memcmp(block, restored, len) == 0));
    free(restored);
    free(compressed);
    return compressed_len;
}

static void versions(void) {
    char version[64];
    snprintf(version, sizeof version, "%d.%d.%d", UADK_COMPRESS_VERSION_MAJOR,
             UADK_COMPRESS_VERSION_MINOR, UADK_COMPRESS_VERSION_PATCH);
    CHECK(strcmp(uadk_compress_version(), version) == 0);
    CHECK(uadk_compress_version_number() == UADK_COMPRESS_VERSION_NUMBER);
}

static void status_texts(void) {
    for (int status = UADK_STATUS_OK; status <= UADK_STATUS_INTERNAL; status++) {
        CHECK(strlen(uadk_status_text(status)) > 3);
        CHECK(strcmp(uadk_status_text(status), "unknown status") != 0);
    }
    CHECK(strcmp(uadk_status_text(UADK_STATUS_INTERNAL + 1), "unknown status") == 0);
    CHECK(strcmp(uadk_status_text(-1), "unknown status") == 0);
}

static void formats_and_levels(void) {
    static const char *const levels[] = {"level=-3", "level=0", "level=1", "level=6", "level=22"};
    unsigned char block[BLOCK];
    for (int format = 0; format < FORMATS; format++) {
        for (size_t level = 0; level < sizeof levels / sizeof *levels; level++) {
            uadk_compressor *compressor = create_format(format_names[format], levels[level]);
            fill(block, sizeof block, (uint32_t)level);
            CHECK(round_trip(compressor, block, sizeof block) < BLOCK);
            fill_random(block, sizeof block, (uint32_t)level);
            round_trip(compressor, block, sizeof block);
            round_trip(compressor, block, 1);
            round_trip(compressor, block, 0);
            round_trip(compressor, NULL, 0);
            uadk_compressor_free(compressor);
        }
    }
}

static void defaults(void) {
    /* Without options: raw deflate, which has no header. */
    uadk_compressor *compressor = create(NULL), *other = create("");
    unsigned char block[BLOCK];
    fill(block, sizeof block, 1);
    size_t len = 0, other_len = 0;
    unsigned char *compressed = compress(compressor, block, sizeof block, &len);
    unsigned char *again = compress(other, block, sizeof block, &other_len);
    CHECK(len == other_len && memcmp(compressed, again, len) == 0);
    CHECK((compressed[0] & 0x0f) != 0x08);
    free(compressed);
    free(again);
    uadk_compressor_free(compressor);
    uadk_compressor_free(other);
}

static void results_that_do_not_fit(void) {
    unsigned char block[BLOCK], small[64], compressed[BLOCK * 2];
    for (int format = 0; format < FORMATS; format++) {
        uadk_compressor *compressor = create_format(format_names[format], "");
        size_t len = 99, written = 99;
        fill(block, sizeof block, 2);
        CHECK(uadk_compressor_compress(compressor, block, BLOCK, small, sizeof small, &written) ==
              UADK_STATUS_OUTPUT_FULL);
        CHECK(written == 0);
        CHECK(strcmp(uadk_compress_last_error(), uadk_status_text(UADK_STATUS_OUTPUT_FULL)) == 0);
        written = 99;
        CHECK(uadk_compressor_compress(compressor, block, BLOCK, NULL, 0, &written) ==
              UADK_STATUS_OUTPUT_FULL);
        CHECK(written == 0);
        CHECK(uadk_compressor_compress(compressor, block, BLOCK, compressed, sizeof compressed,
                                       &len) == UADK_STATUS_OK);
        CHECK(uadk_compressor_decompress(compressor, compressed, len, small, sizeof small,
                                         &written) == UADK_STATUS_OUTPUT_FULL);
        CHECK(uadk_compressor_decompress(compressor, compressed, len, NULL, 0, &written) ==
              UADK_STATUS_OUTPUT_FULL);
        uadk_compressor_free(compressor);
    }
}

static void damage(void) {
    unsigned char block[BLOCK], compressed[BLOCK * 2], restored[BLOCK];
    for (int format = 0; format < FORMATS; format++) {
        uadk_compressor *compressor = create_format(format_names[format], "");
        size_t len = 0, written = 99;
        fill(block, sizeof block, 3);
        CHECK(uadk_compressor_compress(compressor, block, BLOCK, compressed, sizeof compressed,
                                       &len) == UADK_STATUS_OK);
        CHECK(uadk_compressor_decompress(compressor, compressed, len / 2, restored, BLOCK,
                                         &written) == UADK_STATUS_CORRUPT);
        CHECK(written == 0);
        CHECK(strcmp(uadk_compress_last_error(), uadk_status_text(UADK_STATUS_CORRUPT)) == 0);
        memset(compressed, 0xff, len);
        CHECK(uadk_compressor_decompress(compressor, compressed, len, restored, BLOCK, &written) ==
              UADK_STATUS_CORRUPT);
        CHECK(uadk_compressor_decompress(compressor, NULL, 0, restored, BLOCK, &written) ==
              UADK_STATUS_CORRUPT);
        /* Every flipped bit is an answer, never a crash; what comes out is of no use. */
        CHECK(uadk_compressor_compress(compressor, block, 1000, compressed, sizeof compressed,
                                       &len) == UADK_STATUS_OK);
        for (size_t bit = 0; bit < len * 8; bit += 7) {
            compressed[bit / 8] ^= (unsigned char)(1u << (bit % 8));
            (void)uadk_compressor_decompress(compressor, compressed, len, restored, BLOCK,
                                             &written);
            CHECK(written <= BLOCK);
            compressed[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        }
        uadk_compressor_free(compressor);
    }
}

static void options_that_are_wrong(void) {
    static const struct {
        const char *options, *error;
    } cases[] = {
        {"levle=1", "unknown option \"levle\" (known: format, level, window, checksum, "},
        {"level", "option \"level\" has no value"},
        {"level=1;level=2", "option \"level\" is there twice"},
        {"format=snappy", "(expected deflate, zlib, gzip, zstd or lz4)"},
        {"level=99", "(expected a number from -131072 to 22)"},
        {"window=1M", "(expected 4K, 8K, 16K, 24K or 32K)"},
        {"offload=maybe", "(expected auto, off or require)"},
        {"verify=\xff", "not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uadk_compressor *compressor = (uadk_compressor *)&cases;
        CHECK(uadk_compressor_new(cases[i].options, &compressor) == UADK_STATUS_INVALID_ARGUMENT);
        CHECK(compressor == NULL);
        CHECK_ERROR(cases[i].error);
    }
    uadk_compressor *compressor = NULL;
    CHECK(uadk_compressor_new("format=zlib;checksum=on", &compressor) == UADK_STATUS_UNSUPPORTED);
    CHECK_ERROR("checksum");
}

/* There is no accelerator: the driver of this test hides it. */
static void an_accelerator_that_is_required_but_absent(void) {
    uadk_compressor *compressor = NULL;
    CHECK(uadk_compressor_new("offload=require", &compressor) == UADK_STATUS_UNAVAILABLE);
    CHECK(compressor == NULL);
    CHECK_ERROR("no accelerator: ");
}

static void pointers_that_are_wrong(void) {
    uadk_compressor *compressor = create("format=zlib"), *other = compressor;
    uint64_t zeros[64] = {0};
    const uadk_compressor *foreign = (const uadk_compressor *)zeros;
    const uadk_compressor *misaligned = (const uadk_compressor *)((const char *)zeros + 1);
    const uadk_compressor *handles[] = {NULL, foreign, misaligned};
    unsigned char buffer[256] = {0};
    size_t written = 99;
    for (size_t i = 0; i < 3; i++) {
        const uadk_compressor *wrong = handles[i];
        CHECK(uadk_compressor_max_compressed_len(wrong, 1000) == 0);
        CHECK_ERROR("compressor");
        CHECK(uadk_compressor_max_decompressed_len(wrong, 1000) == 0);
        CHECK(uadk_compressor_compress(wrong, "abc", 3, buffer, sizeof buffer, &written) ==
              UADK_STATUS_INVALID_ARGUMENT);
        CHECK(written == 0);
        CHECK(uadk_compressor_decompress(wrong, "abc", 3, buffer, sizeof buffer, &written) ==
              UADK_STATUS_INVALID_ARGUMENT);
        uadk_block block = {.src = "abc", .src_len = 3};
        CHECK(uadk_compressor_compress_batch(wrong, &block, 1) == UADK_STATUS_INVALID_ARGUMENT);
        CHECK(block.status == UADK_STATUS_INVALID_ARGUMENT && block.written == 0);
        CHECK(uadk_compressor_decompress_batch(wrong, NULL, 0) == UADK_STATUS_INVALID_ARGUMENT);
        other = compressor;
        CHECK(uadk_compressor_clone(wrong, &other) == UADK_STATUS_INVALID_ARGUMENT);
        CHECK(other == NULL);
        CHECK(uadk_compressor_reconfigure(wrong, NULL, NULL, 0, &other) ==
              UADK_STATUS_INVALID_ARGUMENT);
        CHECK(uadk_compressor_set_offload(wrong, "off") == UADK_STATUS_INVALID_ARGUMENT);
        uadk_stats stats = {.size = sizeof stats};
        CHECK(uadk_compressor_stats(wrong, &stats) == UADK_STATUS_INVALID_ARGUMENT);
        CHECK(uadk_compressor_stats_text(wrong) == NULL);
    }
    uadk_compressor_free(NULL);
    uadk_compressor_free((uadk_compressor *)zeros);
    uadk_compress_string_free(NULL);

    CHECK(uadk_compressor_new("format=zlib", NULL) == UADK_STATUS_INVALID_ARGUMENT);
    CHECK(uadk_compressor_clone(compressor, NULL) == UADK_STATUS_INVALID_ARGUMENT);
    CHECK(uadk_compressor_stats(compressor, NULL) == UADK_STATUS_INVALID_ARGUMENT);
    CHECK(uadk_compressor_set_offload(compressor, NULL) == UADK_STATUS_INVALID_ARGUMENT);
    CHECK(uadk_compressor_reconfigure(compressor, NULL, NULL, 3, &other) ==
          UADK_STATUS_INVALID_ARGUMENT);
    CHECK_ERROR("the dictionary is null, but 3 bytes long");
    CHECK(uadk_compressor_compress(compressor, NULL, 3, buffer, sizeof buffer, &written) ==
          UADK_STATUS_INVALID_ARGUMENT);
    CHECK_ERROR("the source is null, but 3 bytes long");
    CHECK(uadk_compressor_compress(compressor, "abc", 3, NULL, 3, &written) ==
          UADK_STATUS_INVALID_ARGUMENT);
    CHECK(uadk_compressor_compress(compressor, "abc", 3, buffer, sizeof buffer, NULL) ==
          UADK_STATUS_INVALID_ARGUMENT);
    CHECK(uadk_compressor_compress(compressor, buffer, SIZE_MAX, buffer, 0, &written) ==
          UADK_STATUS_INVALID_ARGUMENT);
    CHECK_ERROR("more than memory can hold");
    CHECK(uadk_compressor_compress(compressor, buffer, 100, buffer + 99, 100, &written) ==
          UADK_STATUS_INVALID_ARGUMENT);
    CHECK_ERROR("overlap");
    CHECK(uadk_compressor_compress(compressor, buffer, 100, buffer + 100, 100, &written) ==
          UADK_STATUS_OK);
    CHECK(uadk_compressor_compress_batch(compressor, NULL, 1) == UADK_STATUS_INVALID_ARGUMENT);
    CHECK(uadk_compressor_compress_batch(compressor, NULL, 0) == UADK_STATUS_OK);
    uadk_block block = {.src = NULL};
    CHECK(uadk_compressor_compress_batch(compressor, &block, SIZE_MAX) ==
          UADK_STATUS_INVALID_ARGUMENT);
    uadk_compressor_free(compressor);
}

static void other_settings(void) {
    unsigned char block[BLOCK];
    fill(block, sizeof block, 4);
    uadk_compressor *fast = create("format=zlib; level=0"), *best = NULL, *narrow = NULL;
    CHECK(uadk_compressor_reconfigure(fast, "level=12", NULL, 0, &best) == UADK_STATUS_OK);
    CHECK(round_trip(best, block, BLOCK) < round_trip(fast, block, BLOCK));

    /* The window is in zlib's header, as its logarithm minus 8. */
    size_t len = 0;
    CHECK(uadk_compressor_reconfigure(fast, "window=4K", NULL, 0, &narrow) == UADK_STATUS_OK);
    unsigned char *compressed = compress(narrow, block, BLOCK, &len);
    CHECK(compressed[0] >> 4 == 12 - 8);
    free(compressed);
    uadk_compressor *from_start = create("format=zlib; level=0; window=4K");
    compressed = compress(from_start, block, BLOCK, &len);
    CHECK(compressed[0] >> 4 == 12 - 8);
    free(compressed);

    /* Handles outlive the one that they were made from. */
    uadk_compressor_free(fast);
    round_trip(best, block, BLOCK);
    CHECK(uadk_compressor_reconfigure(best, "offload=off", NULL, 0, &fast) ==
          UADK_STATUS_INVALID_ARGUMENT);
    CHECK(fast == NULL);
    CHECK_ERROR("(known: level, window, checksum)");
    CHECK(uadk_compressor_reconfigure(best, "checksum=on", NULL, 0, &fast) ==
          UADK_STATUS_UNSUPPORTED);
    uadk_compressor_free(best);
    uadk_compressor_free(narrow);
    uadk_compressor_free(from_start);

    uadk_compressor *zstd = create("format=zstd"), *checked = NULL, *same = NULL;
    CHECK(uadk_compressor_reconfigure(zstd, "checksum=on", NULL, 0, &checked) == UADK_STATUS_OK);
    CHECK(round_trip(checked, block, BLOCK) == round_trip(zstd, block, BLOCK) + 4);
    CHECK(uadk_compressor_reconfigure(checked, NULL, NULL, 0, &same) == UADK_STATUS_OK);
    CHECK(round_trip(same, block, BLOCK) == round_trip(checked, block, BLOCK));
    uadk_compressor_free(same);
    CHECK(uadk_compressor_clone(checked, &same) == UADK_STATUS_OK);
    CHECK(round_trip(same, block, BLOCK) == round_trip(checked, block, BLOCK));
    uadk_compressor_free(zstd);
    uadk_compressor_free(checked);
    uadk_compressor_free(same);
}

static void dictionaries(void) {
    unsigned char dictionary[BLOCK], block[1000], restored[1000];
    fill(dictionary, sizeof dictionary, 5);
    memcpy(block, dictionary + 5000, sizeof block);
    for (int format = 3; format < FORMATS; format++) {
        uadk_compressor *plain = create_format(format_names[format], ""), *with = NULL;
        unsigned char *copy = malloc(sizeof dictionary);
        CHECK(copy != NULL);
        memcpy(copy, dictionary, sizeof dictionary);
        CHECK(uadk_compressor_reconfigure(plain, NULL, copy, sizeof dictionary, &with) ==
              UADK_STATUS_OK);
        /* It was copied. */
        free(copy);
        size_t without_len = round_trip(plain, block, sizeof block);
        CHECK(round_trip(with, block, sizeof block) < without_len / 4);

        /* Needed to decompress. */
        size_t len = 0, written = 0;
        unsigned char *compressed = compress(with, block, sizeof block, &len);
        uadk_status status = uadk_compressor_decompress(plain, compressed, len, restored,
                                                        sizeof restored, &written);
        CHECK(status == UADK_STATUS_CORRUPT || memcmp(block, restored, sizeof block) != 0);
        free(compressed);

        /* Null keeps it, and length 0 removes it. */
        uadk_compressor *kept = NULL, *without = NULL;
        CHECK(uadk_compressor_reconfigure(with, "level=3", NULL, 0, &kept) == UADK_STATUS_OK);
        CHECK(round_trip(kept, block, sizeof block) < without_len / 4);
        CHECK(uadk_compressor_reconfigure(with, NULL, "", 0, &without) == UADK_STATUS_OK);
        CHECK(round_trip(without, block, sizeof block) == without_len);
        uadk_compressor_free(plain);
        uadk_compressor_free(with);
        uadk_compressor_free(kept);
        uadk_compressor_free(without);
    }
    uadk_compressor *zlib = create("format=zlib"), *with = zlib;
    CHECK(uadk_compressor_reconfigure(zlib, NULL, "words", 5, &with) == UADK_STATUS_UNSUPPORTED);
    CHECK(with == NULL);
    CHECK_ERROR("dictionary for zlib");
    uadk_compressor_free(zlib);
    /* Has the magic number of a trained dictionary, but nothing else. */
    uadk_compressor *zstd = create("format=zstd");
    CHECK(uadk_compressor_reconfigure(zstd, NULL, "\x37\xa4\x30\xec" "damaged", 11, &with) ==
          UADK_STATUS_UNSUPPORTED);
    CHECK_ERROR("damaged dictionary");
    uadk_compressor_free(zstd);
}

#define BATCH 40

static void batches(void) {
    static unsigned char sources[BATCH][4096], packed[BATCH][8192], restored[BATCH][4096];
    for (int format = 0; format < FORMATS; format++) {
        uadk_compressor *compressor = create_format(format_names[format], "");
        uadk_block blocks[BATCH];
        /* Results that have not been written yet are never read. */
        memset(blocks, 0xaa, sizeof blocks);
        for (uint32_t i = 0; i < BATCH; i++) {
            fill(sources[i], sizeof sources[i], i);
            blocks[i].src = sources[i];
            blocks[i].src_len = i == 1 ? 0 : sizeof sources[i];
            blocks[i].dst = packed[i];
            blocks[i].dst_capacity = i == 3 ? 10 : sizeof packed[i];
        }
        CHECK(uadk_compressor_compress_batch(compressor, blocks, BATCH) ==
              UADK_STATUS_OUTPUT_FULL);
        CHECK(strcmp(uadk_compress_last_error(), uadk_status_text(UADK_STATUS_OUTPUT_FULL)) == 0);
        for (int i = 0; i < BATCH; i++) {
            CHECK(blocks[i].status == (i == 3 ? UADK_STATUS_OUTPUT_FULL : UADK_STATUS_OK));
            CHECK((blocks[i].written == 0) == (i == 3));
            blocks[i].src = packed[i];
            blocks[i].src_len = blocks[i].written;
            blocks[i].dst = restored[i];
            blocks[i].dst_capacity = sizeof restored[i];
        }
        CHECK(uadk_compressor_decompress_batch(compressor, blocks, BATCH) == UADK_STATUS_CORRUPT);
        for (int i = 0; i < BATCH; i++) {
            size_t len = i == 1 ? 0 : sizeof sources[i];
            CHECK(blocks[i].status == (i == 3 ? UADK_STATUS_CORRUPT : UADK_STATUS_OK));
            CHECK(blocks[i].written == (i == 3 ? 0 : len));
            CHECK(i == 3 || memcmp(sources[i], restored[i], len) == 0);
        }
        CHECK(uadk_compressor_decompress_batch(compressor, blocks, 3) == UADK_STATUS_OK);

        /* A wrong pointer: no block is processed. */
        blocks[2].src = NULL;
        CHECK(uadk_compressor_decompress_batch(compressor, blocks, 3) ==
              UADK_STATUS_INVALID_ARGUMENT);
        for (int i = 0; i < 3; i++) {
            CHECK(blocks[i].status == UADK_STATUS_INVALID_ARGUMENT && blocks[i].written == 0);
        }
        uadk_compressor_free(compressor);
    }
}

#define THREADS 4

struct worker {
    const uadk_compressor *compressor;
    uint32_t number;
};

static void *work(void *argument) {
    const struct worker *worker = argument;
    unsigned char block[BLOCK];
    char option[32], error[64];
    snprintf(option, sizeof option, "option%u=1", worker->number);
    snprintf(error, sizeof error, "unknown option \"option%u\"", worker->number);
    CHECK(strcmp(uadk_compress_last_error(), "") == 0);
    for (uint32_t i = 0; i < 20; i++) {
        uadk_compressor *mine = NULL;
        CHECK(uadk_compressor_new(option, &mine) == UADK_STATUS_INVALID_ARGUMENT);
        fill(block, sizeof block, worker->number * 100 + i);
        round_trip(worker->compressor, block, sizeof block);
        CHECK(uadk_compressor_clone(worker->compressor, &mine) == UADK_STATUS_OK);
        round_trip(mine, block, sizeof block);
        uadk_compressor_free(mine);
        /* Other threads' failures do not show here. */
        CHECK_ERROR(error);
    }
    return NULL;
}

static void threads(void) {
    for (int format = 0; format < FORMATS; format++) {
        uadk_compressor *compressor = create_format(format_names[format], "");
        pthread_t handles[THREADS];
        struct worker workers[THREADS];
        for (uint32_t i = 0; i < THREADS; i++) {
            workers[i] = (struct worker){compressor, i};
            CHECK(pthread_create(&handles[i], NULL, work, &workers[i]) == 0);
        }
        for (int i = 0; i < THREADS; i++) {
            CHECK(pthread_join(handles[i], NULL) == 0);
        }
        uadk_stats stats = {.size = sizeof stats};
        CHECK(uadk_compressor_stats(compressor, &stats) == UADK_STATUS_OK);
        CHECK(stats.software_compress.blocks == THREADS * 20 * 2);
        uadk_compressor_free(compressor);
    }
}

static void forks(void) {
    unsigned char block[BLOCK];
    fill(block, sizeof block, 9);
    uadk_compressor *compressor = create("format=zlib");
    round_trip(compressor, block, sizeof block);
    pid_t child = fork();
    CHECK(child >= 0);
    round_trip(compressor, block, sizeof block);
    if (child == 0) {
        uadk_compressor_free(compressor);
        _exit(0);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    uadk_compressor_free(compressor);
}

static void counters(void) {
    unsigned char block[BLOCK], small[16];
    fill(block, sizeof block, 6);
    uadk_compressor *compressor = create("format=zstd"), *other = NULL;
    size_t len = round_trip(compressor, block, sizeof block), written = 0;
    CHECK(uadk_compressor_compress(compressor, block, BLOCK, small, sizeof small, &written) ==
          UADK_STATUS_OUTPUT_FULL);
    CHECK(uadk_compressor_decompress(compressor, "damaged", 7, small, sizeof small, &written) ==
          UADK_STATUS_CORRUPT);

    uadk_stats stats = {.size = sizeof stats};
    CHECK(uadk_compressor_stats(compressor, &stats) == UADK_STATUS_OK);
    CHECK(stats.size == sizeof stats && stats.accelerator_available == 0);
    CHECK(stats.software_compress.blocks == 2 && stats.software_compress.output_full == 1);
    CHECK(stats.software_compress.bytes_in == 2 * BLOCK);
    CHECK(stats.software_compress.bytes_out == len);
    CHECK(stats.software_decompress.blocks == 2 && stats.software_decompress.errors == 1);
    CHECK(stats.software_decompress.bytes_out == BLOCK);
    CHECK(stats.accelerator_compress.blocks == 0);
    CHECK(stats.fallback_no_accelerator == 4);

    /* All handles of a compressor share them. */
    CHECK(uadk_compressor_reconfigure(compressor, "level=5", NULL, 0, &other) == UADK_STATUS_OK);
    round_trip(other, block, sizeof block);
    CHECK(uadk_compressor_stats(compressor, &stats) == UADK_STATUS_OK);
    CHECK(stats.software_compress.blocks == 3 && stats.software_decompress.blocks == 3);
    uadk_compressor_free(other);

    /* A program of an older header: nothing is written beyond its struct. */
    uadk_stats old;
    memset(&old, 0xaa, sizeof old);
    old.size = offsetof(uadk_stats, accelerator_decompress);
    CHECK(uadk_compressor_stats(compressor, &old) == UADK_STATUS_OK);
    CHECK(old.size == offsetof(uadk_stats, accelerator_decompress));
    CHECK(old.accelerator_available == 0 && old.accelerator_compress.blocks == 0);
    CHECK(old.accelerator_decompress.blocks == 0xaaaaaaaaaaaaaaaa);

    /* One of a newer header: the members that this library does not know are 0. */
    struct {
        uadk_stats known;
        uint64_t newer[3];
    } larger;
    memset(&larger, 0xaa, sizeof larger);
    larger.known.size = offsetof(__typeof__(larger), newer) + 2 * sizeof larger.newer[0];
    CHECK(uadk_compressor_stats(compressor, &larger.known) == UADK_STATUS_OK);
    CHECK(larger.known.software_compress.blocks == 3);
    CHECK(larger.newer[0] == 0 && larger.newer[1] == 0);
    CHECK(larger.newer[2] == 0xaaaaaaaaaaaaaaaa);

    stats.size = 0;
    CHECK(uadk_compressor_stats(compressor, &stats) == UADK_STATUS_INVALID_ARGUMENT);
    CHECK_ERROR("uadk_stats.size");

    char *text = uadk_compressor_stats_text(compressor);
    CHECK(text != NULL && strstr(text, "offload auto") != NULL);
    CHECK(strstr(text, "3 blocks") != NULL && strstr(text, "no_accelerator") != NULL);
    uadk_compress_string_free(text);

    /* Switching. */
    CHECK(uadk_compressor_set_offload(compressor, "off") == UADK_STATUS_OK);
    CHECK(uadk_compressor_set_offload(compressor, "maybe") == UADK_STATUS_INVALID_ARGUMENT);
    CHECK_ERROR("\"maybe\" (expected auto, off or require)");
    CHECK(uadk_compressor_set_offload(compressor, "require") == UADK_STATUS_UNAVAILABLE);
    text = uadk_compressor_stats_text(compressor);
    CHECK(text != NULL && strstr(text, "offload off") != NULL);
    uadk_compress_string_free(text);
    uadk_compressor_free(compressor);
}

static void what_the_machine_offers(void) {
    char *text = uadk_compress_probe();
    CHECK(text != NULL && strstr(text, "libwd") != NULL && strstr(text, "      -> ") != NULL);
    size_t len = strlen(text);
    CHECK(len > 0 && text[len - 1] == '\n');
    CHECK(strstr(text, "\nsoftware only\n") != NULL || strstr(text, "\nbroken\n") != NULL);
    uadk_compress_string_free(text);
}

/* The driver of this test has set a script of faults; see tests/programs/main.rs. */
static void device(void) {
    static unsigned char sources[BATCH][BLOCK], packed[BATCH][BLOCK * 2], restored[BATCH][BLOCK];
    for (int format = 0; format < FORMATS; format++) {
        uadk_compressor *compressor = create_format(
            format_names[format],
            "offload=require; verify=both; busy_tries=1; deadline=500ms; max_delay=100s; "
            "first_hold_off=1us; longest_hold_off=1us; hold_off=1us; "
            "raw_deflate_decompression=on");
        for (uint32_t round = 0; round < 10; round++) {
            uadk_block blocks[BATCH];
            for (uint32_t i = 0; i < BATCH; i++) {
                fill(sources[i], BLOCK, round * BATCH + i);
                blocks[i] = (uadk_block){.src = sources[i], .src_len = BLOCK, .dst = packed[i],
                                         .dst_capacity = BLOCK * 2};
                round_trip(compressor, sources[i], BLOCK);
            }
            CHECK(uadk_compressor_compress_batch(compressor, blocks, BATCH) == UADK_STATUS_OK);
            for (int i = 0; i < BATCH; i++) {
                blocks[i] = (uadk_block){.src = packed[i], .src_len = blocks[i].written,
                                         .dst = restored[i], .dst_capacity = BLOCK};
            }
            CHECK(uadk_compressor_decompress_batch(compressor, blocks, BATCH) == UADK_STATUS_OK);
            CHECK(memcmp(sources, restored, sizeof sources) == 0);
        }
        uadk_stats stats = {.size = sizeof stats};
        CHECK(uadk_compressor_stats(compressor, &stats) == UADK_STATUS_OK);
        CHECK(stats.accelerator_compress.blocks + stats.software_compress.blocks == 800);
        CHECK(stats.accelerator_compress.blocks > 100);
        CHECK(stats.fallback_busy > 0 && stats.fallback_device_error > 0);
        CHECK(stats.breaker_opened > 0 && stats.device_initialisations > 0);
        CHECK(stats.fallback_panicked == 0);
        uadk_compressor_free(compressor);
    }
    char *text = uadk_compress_probe();
    CHECK(text != NULL && strstr(text, "libwd") != NULL);
    uadk_compress_string_free(text);
}

static size_t read_file(const char *dir, const char *name, unsigned char *buffer, size_t capacity) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    size_t len = fread(buffer, 1, capacity, file);
    CHECK(len < capacity && fclose(file) == 0);
    return len;
}

/* Reads what other codecs have compressed, and leaves what they are to read. */
static void exchange(const char *dir) {
    static unsigned char block[1 << 20], compressed[1 << 20], restored[1 << 20];
    size_t len = read_file(dir, "block", block, sizeof block);
    for (int format = 0; format < FORMATS; format++) {
        char name[64], path[512];
        uadk_compressor *compressor = create_format(format_names[format], "");
        snprintf(name, sizeof name, "in.%s", format_names[format]);
        size_t compressed_len = read_file(dir, name, compressed, sizeof compressed), written = 0;
        CHECK(uadk_compressor_decompress(compressor, compressed, compressed_len, restored, len,
                                         &written) == UADK_STATUS_OK);
        CHECK(written == len && memcmp(block, restored, len) == 0);

        CHECK(uadk_compressor_compress(compressor, block, len, compressed, sizeof compressed,
                                       &written) == UADK_STATUS_OK);
        snprintf(path, sizeof path, "%s/out.%s", dir, format_names[format]);
        FILE *file = fopen(path, "wb");
        CHECK(file != NULL);
        CHECK(fwrite(compressed, 1, written, file) == written && fclose(file) == 0);
        uadk_compressor_free(compressor);
    }
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "";
    if (strcmp(mode, "software") == 0) {
        CHECK(strcmp(uadk_compress_last_error(), "") == 0);
        versions();
        status_texts();
        formats_and_levels();
        defaults();
        results_that_do_not_fit();
        damage();
        options_that_are_wrong();
        an_accelerator_that_is_required_but_absent();
        pointers_that_are_wrong();
        other_settings();
        dictionaries();
        batches();
        threads();
        forks();
        counters();
        what_the_machine_offers();
    } else if (strcmp(mode, "device") == 0) {
        device();
    } else if (strcmp(mode, "exchange") == 0 && count > 2) {
        exchange(arguments[2]);
    } else {
        fprintf(stderr, "usage: %s software | device | exchange DIR\n", arguments[0]);
        return 64;
    }
    puts("passed");
    return 0;
}
