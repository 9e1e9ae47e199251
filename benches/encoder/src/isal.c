/* ISA-L's stateless deflate as one call per block, with one context per process. */
#include <isa-l/igzip_lib.h>
#include <stddef.h>

static struct isal_zstream stream;
static uint8_t level_buf[ISAL_DEF_LVL3_DEFAULT];

size_t block_deflate_bench_isal(const uint8_t *src, size_t len, uint8_t *dst, size_t capacity,
                                int level)
{
    isal_deflate_stateless_init(&stream);
    stream.level = level;
    stream.level_buf = level ? level_buf : NULL;
    stream.level_buf_size = level ? sizeof(level_buf) : 0;
    stream.end_of_stream = 1;
    stream.flush = NO_FLUSH;
    stream.next_in = (uint8_t *)src;
    stream.avail_in = len;
    stream.next_out = dst;
    stream.avail_out = capacity;
    if (isal_deflate_stateless(&stream) != COMP_OK)
        return 0;
    return stream.total_out;
}
