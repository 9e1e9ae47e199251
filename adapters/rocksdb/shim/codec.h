// The Rust side's codecs, as C++ calls them. All decisions are made in Rust:
// block layout, bounds, levels, what an error means.

#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace uadk_compress {

// A codec's answers; the numbers are those of `Answer` in src/codec.rs.
enum class Answer : int32_t {
  kDone = 0,
  kRejected = 1,  // tried, but does not fit: store the block uncompressed
  kBypassed = 2,  // not tried, or failed: store the block uncompressed
  kCorrupt = 3,
  kFailed = 4,  // decompression failed, but the block may be intact
};

static_assert(sizeof(Answer) == 4);

// The parameters of a manager. Mirrors `Setup` in src/shim.rs, which asserts
// the same sizes and offsets.
struct Setup {
  const void* codec;  // owned by the setup's owner
  const char* name;   // lives as long as the process
  uint8_t type;       // the CompressionType that the codec handles
  uint8_t stock;      // 1: RocksDB's own zlib schema; 0: a custom schema
};

static_assert(sizeof(Setup) == 24 && alignof(Setup) == 8);
static_assert(offsetof(Setup, codec) == 0 && offsetof(Setup, name) == 8);
static_assert(offsetof(Setup, type) == 16 && offsetof(Setup, stock) == 17);

// Functions of the Rust side. Mirrors `CodecFunctions` in src/shim.rs, which
// asserts the same sizes and offsets. None of them unwinds.
struct CodecFunctions {
  const void* (*clone)(const void* codec);
  const void* (*with_level)(const void* codec, int32_t level);
  void (*release)(const void* codec);
  Answer (*compress)(const void* codec, const char* src, size_t src_len,
                     char* dst, size_t dst_len, size_t* written);
  Answer (*uncompressed_size)(const void* codec, const char* src,
                              size_t src_len, size_t* header_len,
                              uint64_t* size);
  Answer (*decompress)(const void* codec, const char* src, size_t src_len,
                       char* dst, size_t dst_len);
  // Finds the codec registered as `name`; returns false if there is none.
  bool (*find)(const char* name, Setup* setup);
};

static_assert(sizeof(CodecFunctions) == 56 && alignof(CodecFunctions) == 8);
static_assert(offsetof(CodecFunctions, clone) == 0);
static_assert(offsetof(CodecFunctions, with_level) == 8);
static_assert(offsetof(CodecFunctions, release) == 16);
static_assert(offsetof(CodecFunctions, compress) == 24);
static_assert(offsetof(CodecFunctions, uncompressed_size) == 32);
static_assert(offsetof(CodecFunctions, decompress) == 40);
static_assert(offsetof(CodecFunctions, find) == 48);

// Owns one codec of the Rust side.
class Codec {
 public:
  Codec(const CodecFunctions* functions, const void* codec)
      : functions_(functions), codec_(codec) {}
  Codec(Codec&& other) noexcept
      : functions_(other.functions_),
        codec_(std::exchange(other.codec_, nullptr)) {}
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
  Codec& operator=(Codec&&) = delete;
  ~Codec() {
    if (codec_ != nullptr) {
      functions_->release(codec_);
    }
  }

  Codec Clone() const { return {functions_, functions_->clone(codec_)}; }
  Codec WithLevel(int32_t level) const {
    return {functions_, functions_->with_level(codec_, level)};
  }

  Answer Compress(const char* src, size_t src_len, char* dst, size_t dst_len,
                  size_t* written) const {
    return functions_->compress(codec_, src, src_len, dst, dst_len, written);
  }
  Answer UncompressedSize(const char* src, size_t src_len, size_t* header_len,
                          uint64_t* size) const {
    return functions_->uncompressed_size(codec_, src, src_len, header_len,
                                         size);
  }
  Answer Decompress(const char* src, size_t src_len, char* dst,
                    size_t dst_len) const {
    return functions_->decompress(codec_, src, src_len, dst, dst_len);
  }

 private:
  const CodecFunctions* functions_;
  const void* codec_;
};

}  // namespace uadk_compress
