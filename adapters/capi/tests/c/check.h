/* What the C and the C++ test share: checks, and data. Valid in both languages. */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uadk_compress.h"

/* Ends the program with the failed condition. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s (last error: %s)\n", __FILE__, __LINE__, #condition,        \
                    uadk_compress_last_error());                                                   \
            exit(EXIT_FAILURE);                                                                    \
        }                                                                                          \
    } while (0)

/* Checks that the last failure's text contains `part`. */
#define CHECK_ERROR(part) CHECK(strstr(uadk_compress_last_error(), (part)) != NULL)

#define FORMATS 5
static const char *const format_names[FORMATS] = {"deflate", "zlib", "gzip", "zstd", "lz4"};

/* Fills a block with words, which compress to about half. The same seed is the same block. */
static inline void fill(unsigned char *block, size_t len, uint32_t seed) {
    static const char *const words[8] = {"block ",  "page ",  "window ", "level ",
                                         "queue ", "device ", "match ",  "literal "};
    uint32_t state = seed * 2654435761u + 1;
    size_t at = 0;
    while (at < len) {
        state = state * 1664525u + 1013904223u;
        const char *word = words[state >> 29];
        for (; *word != '\0' && at < len; word++) {
            block[at++] = (unsigned char)*word;
        }
        if (at < len) {
            block[at++] = (unsigned char)(state >> 16);
        }
    }
}

/* Fills a block with bytes that no format compresses. */
static inline void fill_random(unsigned char *block, size_t len, uint32_t seed) {
    uint32_t state = seed | 1u;
    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        block[i] = (unsigned char)(state >> 24);
    }
}

#endif
