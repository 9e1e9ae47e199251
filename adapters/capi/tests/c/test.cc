// Tests the library as a C++ program sees it, with handles that free themselves.
//
//     test software           everything that needs no accelerator
//     test device             blocks on an accelerator that keeps failing (uadk-sim)
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "check.h"

namespace {

struct Free {
    void operator()(uadk_compressor *compressor) const { uadk_compressor_free(compressor); }
    void operator()(char *text) const { uadk_compress_string_free(text); }
};

using Handle = std::unique_ptr<uadk_compressor, Free>;
using Text = std::unique_ptr<char, Free>;
using Bytes = std::vector<unsigned char>;

Handle create(const std::string &options) {
    uadk_compressor *compressor = nullptr;
    CHECK(uadk_compressor_new(options.c_str(), &compressor) == UADK_STATUS_OK);
    return Handle(compressor);
}

Handle reconfigure(const Handle &compressor, const char *options, std::string_view dictionary) {
    uadk_compressor *other = nullptr;
    CHECK(uadk_compressor_reconfigure(compressor.get(), options, dictionary.data(),
                                      dictionary.size(), &other) == UADK_STATUS_OK);
    return Handle(other);
}

Bytes block(uint32_t seed) {
    Bytes bytes(16384);
    fill(bytes.data(), bytes.size(), seed);
    return bytes;
}

Bytes compress(const Handle &compressor, const Bytes &bytes) {
    Bytes compressed(uadk_compressor_max_compressed_len(compressor.get(), bytes.size()));
    std::size_t len = 0;
    CHECK(uadk_compressor_compress(compressor.get(), bytes.data(), bytes.size(), compressed.data(),
                                   compressed.size(), &len) == UADK_STATUS_OK);
    compressed.resize(len);
    return compressed;
}

std::size_t round_trip(const Handle &compressor, const Bytes &bytes) {
    const Bytes compressed = compress(compressor, bytes);
    CHECK(uadk_compressor_max_decompressed_len(compressor.get(), compressed.size()) >=
          bytes.size());
    Bytes restored(bytes.size());
    std::size_t len = 0;
    CHECK(uadk_compressor_decompress(compressor.get(), compressed.data(), compressed.size(),
                                     restored.data(), restored.size(), &len) == UADK_STATUS_OK);
    CHECK(len == bytes.size() && restored == bytes);
    return compressed.size();
}

uadk_stats counters(const Handle &compressor) {
    uadk_stats stats{};
    stats.size = sizeof stats;
    CHECK(uadk_compressor_stats(compressor.get(), &stats) == UADK_STATUS_OK);
    return stats;
}

// Compresses and decompresses a batch.
void batch(const Handle &compressor, uint32_t count) {
    std::vector<Bytes> sources, packed, restored;
    std::vector<uadk_block> blocks(count);
    for (uint32_t i = 0; i < count; i++) {
        sources.push_back(block(i));
        packed.emplace_back(
            uadk_compressor_max_compressed_len(compressor.get(), sources[i].size()));
        restored.emplace_back(sources[i].size());
    }
    const auto point = [&](std::vector<Bytes> &from, std::vector<Bytes> &to) {
        for (uint32_t i = 0; i < count; i++) {
            blocks[i].src = from[i].data();
            blocks[i].src_len = from[i].size();
            blocks[i].dst = to[i].data();
            blocks[i].dst_capacity = to[i].size();
        }
    };
    point(sources, packed);
    CHECK(uadk_compressor_compress_batch(compressor.get(), blocks.data(), blocks.size()) ==
          UADK_STATUS_OK);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(blocks[i].status == UADK_STATUS_OK);
        packed[i].resize(blocks[i].written);
    }
    point(packed, restored);
    CHECK(uadk_compressor_decompress_batch(compressor.get(), blocks.data(), blocks.size()) ==
          UADK_STATUS_OK);
    CHECK(restored == sources);
}

void software() {
    CHECK(std::to_string(UADK_COMPRESS_VERSION_MAJOR) + "." +
              std::to_string(UADK_COMPRESS_VERSION_MINOR) + "." +
              std::to_string(UADK_COMPRESS_VERSION_PATCH) ==
          uadk_compress_version());
    CHECK(uadk_compress_version_number() == UADK_COMPRESS_VERSION_NUMBER);
    CHECK(std::string_view(uadk_status_text(UADK_STATUS_OK)) == "success");

    for (const char *format : format_names) {
        const Handle compressor = create(std::string("format=") + format);
        CHECK(round_trip(compressor, block(7)) < 16384);
        CHECK(round_trip(compressor, Bytes()) > 0);
        batch(compressor, 10);

        std::vector<std::thread> threads;
        for (uint32_t i = 0; i < 4; i++) {
            threads.emplace_back([&compressor, i] {
                uadk_compressor *clone = nullptr;
                CHECK(uadk_compressor_clone(compressor.get(), &clone) == UADK_STATUS_OK);
                const Handle own(clone);
                for (uint32_t j = 0; j < 10; j++) {
                    round_trip(own, block(i * 10 + j));
                }
                CHECK(std::string_view(uadk_compress_last_error()).empty());
            });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
        CHECK(counters(compressor).software_compress.blocks == 2 + 10 + 40);
    }

    const Bytes words = block(8);
    const std::string_view dictionary(reinterpret_cast<const char *>(words.data()), words.size());
    const Bytes part(words.begin() + 3000, words.begin() + 4000);
    for (const char *format : {"zstd", "lz4"}) {
        const Handle plain = create(std::string("format=") + format);
        const Handle with = reconfigure(plain, "level=5", dictionary);
        CHECK(round_trip(with, part) < round_trip(plain, part) / 4);
    }

    const Handle zlib = create("format=zlib; offload=off; verify=both");
    uadk_compressor *none = zlib.get();
    CHECK(uadk_compressor_new("format=zlip", &none) == UADK_STATUS_INVALID_ARGUMENT);
    CHECK(none == nullptr);
    CHECK_ERROR("format=\"zlip\" (expected deflate, zlib, gzip, zstd or lz4)");
    std::size_t len = 0;
    std::array<unsigned char, 10> small{};
    CHECK(uadk_compressor_compress(zlib.get(), words.data(), words.size(), small.data(),
                                   small.size(), &len) == UADK_STATUS_OUTPUT_FULL);
    CHECK(uadk_compressor_decompress(zlib.get(), words.data(), words.size(), small.data(),
                                     small.size(), &len) == UADK_STATUS_CORRUPT);
    CHECK(uadk_compressor_set_offload(zlib.get(), "auto") == UADK_STATUS_OK);
    const Text text(uadk_compressor_stats_text(zlib.get()));
    CHECK(std::string_view(text.get()).find("offload auto") != std::string_view::npos);
    const Text probe(uadk_compress_probe());
    CHECK(std::string_view(probe.get()).find("libwd") != std::string_view::npos);
}

void device() {
    for (const char *format : format_names) {
        const Handle compressor = create(
            std::string("offload=require; verify=compressed; deadline=500ms; format=") + format);
        for (uint32_t i = 0; i < 100; i++) {
            round_trip(compressor, block(i));
        }
        batch(compressor, 100);
        CHECK(counters(compressor).accelerator_compress.blocks > 0);
    }
}

}  // namespace

int main(int count, char **arguments) {
    const std::string_view mode = count > 1 ? arguments[1] : "";
    if (mode == "software") {
        software();
    } else if (mode == "device") {
        device();
    } else {
        std::fprintf(stderr, "usage: %s software | device\n", arguments[0]);
        return 64;
    }
    std::puts("passed");
    return 0;
}
