// The Rust side's codecs, as C++ calls them. All decisions are made in Rust:
// block layout, bounds, levels, what an error means.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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

// A codec, and the CompressionType that it handles. Mirrors `TypedCodec` in
// src/shim.rs, which asserts the same sizes and offsets as here and below.
struct TypedCodec {
  const void* codec;  // owned by the setup's owner
  uint8_t type;
};

static_assert(sizeof(TypedCodec) == 16 && offsetof(TypedCodec, type) == 8);

// The parameters of a manager. Mirrors `Setup` in src/shim.rs.
struct Setup {
  TypedCodec codecs[8];
  const char* name;   // lives as long as the process
  uint8_t count;      // of the codecs
  uint8_t preferred;  // the type for the options; 0xff: leave theirs
  uint8_t stock;      // 1: RocksDB's own schema; 0: a custom schema
};

static_assert(sizeof(Setup) == 144 && alignof(Setup) == 8);
static_assert(offsetof(Setup, codecs) == 0 && offsetof(Setup, name) == 128);
static_assert(offsetof(Setup, count) == 136);
static_assert(offsetof(Setup, preferred) == 137);
static_assert(offsetof(Setup, stock) == 138);

// Functions of the Rust side. Mirrors `CodecFunctions` in src/shim.rs, which
// asserts the same sizes and offsets. None of them unwinds.
struct CodecFunctions {
  const void* (*clone)(const void* codec);
  const void* (*with_options)(const void* codec, int32_t level, bool checksum);
  // Returns null if the codec's format has no dictionaries.
  const void* (*with_dictionary)(const void* codec, const char* dictionary,
                                 size_t len);
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

static_assert(sizeof(CodecFunctions) == 64 && alignof(CodecFunctions) == 8);
static_assert(offsetof(CodecFunctions, clone) == 0);
static_assert(offsetof(CodecFunctions, with_options) == 8);
static_assert(offsetof(CodecFunctions, with_dictionary) == 16);
static_assert(offsetof(CodecFunctions, release) == 24);
static_assert(offsetof(CodecFunctions, compress) == 32);
static_assert(offsetof(CodecFunctions, uncompressed_size) == 40);
static_assert(offsetof(CodecFunctions, decompress) == 48);
static_assert(offsetof(CodecFunctions, find) == 56);

// Owns one codec of the Rust side, for the blocks of one CompressionType.
class Codec {
 public:
  Codec(const CodecFunctions* functions, const void* codec, uint8_t type)
      : functions_(functions), codec_(codec), type_(type) {}
  Codec(Codec&& other) noexcept
      : functions_(other.functions_),
        codec_(std::exchange(other.codec_, nullptr)),
        type_(other.type_) {}
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
  Codec& operator=(Codec&&) = delete;
  ~Codec() {
    if (codec_ != nullptr) {
      functions_->release(codec_);
    }
  }

  uint8_t Type() const { return type_; }

  Codec Clone() const {
    return {functions_, functions_->clone(codec_), type_};
  }
  Codec WithOptions(int32_t level, bool checksum) const {
    return {functions_, functions_->with_options(codec_, level, checksum),
            type_};
  }
  std::optional<Codec> WithDictionary(const char* dictionary,
                                      size_t len) const {
    const void* codec = functions_->with_dictionary(codec_, dictionary, len);
    if (codec == nullptr) {
      return std::nullopt;
    }
    return Codec(functions_, codec, type_);
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
  uint8_t type_;
};

}  // namespace uadk_compress
