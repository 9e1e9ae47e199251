// As src/codec.rs, for programs without Rust: blocks are a size prefix and the
// compressor's output.

#include "codecs.h"

#include <algorithm>
#include <optional>
#include <string>

#include "size_prefix.h"

namespace uadk_compress {
namespace {

// A codec for the blocks of one type.
struct StockCodec {
  std::shared_ptr<Engines> engines;
  Type type;
  CompressorHandle own;  // with settings of its own; null: the engines'

  const uadk_compressor* Compressor() const {
    return own != nullptr ? own.get() : engines->For(type);
  }
};

const StockCodec& Get(const void* codec) {
  return *static_cast<const StockCodec*>(codec);
}

// --- Levels -------------------------------------------------------------------

// RocksDB's CompressionOptions::kDefaultCompressionLevel.
constexpr int32_t kDefaultLevel = 32767;
// zlib's Z_DEFAULT_COMPRESSION, which many configurations use.
constexpr int32_t kZlibDefaultLevel = -1;
// libzstd's ZSTD_CLEVEL_DEFAULT, its level 0.
constexpr int32_t kZstdDefaultLevel = 3;
// liblz4's LZ4HC_CLEVEL_DEFAULT, its levels below 1, and its lowest level.
constexpr int32_t kLz4HcDefaultLevel = 9;
constexpr int32_t kLz4HcLowestLevel = 3;

// Returns the library's level for one of RocksDB's; nothing for its default.
std::optional<int32_t> LibraryLevel(Type type, int32_t level) {
  if (level == kDefaultLevel) {
    return std::nullopt;
  }
  switch (type) {
    case Type::kZlib:
      if (level == kZlibDefaultLevel) {
        return std::nullopt;
      }
      return std::max(level, 0);
    case Type::kZstd:
      return level == 0 ? kZstdDefaultLevel : level;
    case Type::kLz4:
      // RocksDB's LZ4 has accelerations alone (LZ4AccelerationFromLevel).
      if (level >= 0) {
        return std::nullopt;
      }
      return level;
    case Type::kLz4Hc:
      break;
  }
  return level < 1 ? kLz4HcDefaultLevel : std::max(level, kLz4HcLowestLevel);
}

// The levels that the library accepts; each format takes the nearest of its.
constexpr int32_t kLowestLevel = -131072;
constexpr int32_t kHighestLevel = 22;

std::string SettingsFor(Type type, int32_t level, bool checksum) {
  std::string settings;
  if (const auto known = LibraryLevel(type, level)) {
    settings = "level=" + std::to_string(std::clamp(*known, kLowestLevel,
                                                    kHighestLevel));
  }
  if (checksum && type == Type::kZstd) {
    settings += ";checksum=on";
  }
  return settings;
}

// --- The functions of codec.h -------------------------------------------------

const void* Clone(const void* codec) { return new StockCodec(Get(codec)); }

void Release(const void* codec) {
  delete static_cast<const StockCodec*>(codec);
}

const void* WithSettings(const void* codec, int32_t level, bool checksum) {
  auto* changed = new StockCodec(Get(codec));
  const std::string settings = SettingsFor(changed->type, level, checksum);
  const uadk_compressor* compressor = changed->Compressor();
  if (!settings.empty() && compressor != nullptr) {
    CompressorHandle own = Reconfigured(compressor, settings, nullptr, 0);
    if (own != nullptr) {
      changed->own = std::move(own);
    }
  }
  return changed;
}

const void* WithDictionary(const void* codec, const char* dictionary,
                           size_t len) {
  const StockCodec& plain = Get(codec);
  const uadk_compressor* compressor = plain.Compressor();
  if (compressor == nullptr) {
    return nullptr;
  }
  CompressorHandle own = Reconfigured(compressor, "", dictionary, len);
  if (own == nullptr) {
    return nullptr;
  }
  return new StockCodec{plain.engines, plain.type, std::move(own)};
}

Answer Compress(const void* codec, const char* src, size_t src_len, char* dst,
                size_t dst_len, size_t* written) {
  *written = 0;
  const uadk_compressor* compressor = Get(codec).Compressor();
  const size_t prefix_len =
      src_len > UINT32_MAX
          ? 0
          : WriteSizePrefix(static_cast<uint32_t>(src_len), dst, dst_len);
  if (compressor == nullptr || prefix_len == 0) {
    return Answer::kBypassed;
  }
  size_t len = 0;
  const uadk_status status =
      uadk_compressor_compress(compressor, src, src_len, dst + prefix_len,
                               dst_len - prefix_len, &len);
  if (status == UADK_STATUS_OUTPUT_FULL) {
    return Answer::kRejected;
  }
  // Readers would reject a block that claims more, and its data would be lost.
  if (status != UADK_STATUS_OK ||
      src_len > uadk_compressor_max_decompressed_len(compressor, len)) {
    return Answer::kBypassed;
  }
  *written = prefix_len + len;
  return Answer::kDone;
}

Answer UncompressedSize(const void* codec, const char* src, size_t src_len,
                        size_t* header_len, uint64_t* size) {
  const uadk_compressor* compressor = Get(codec).Compressor();
  if (compressor == nullptr) {
    return Answer::kFailed;
  }
  uint32_t claimed = 0;
  const size_t prefix_len = ReadSizePrefix(src, src_len, &claimed);
  if (prefix_len == 0 ||
      claimed > uadk_compressor_max_decompressed_len(compressor,
                                                     src_len - prefix_len)) {
    return Answer::kCorrupt;
  }
  *header_len = prefix_len;
  *size = claimed;
  return Answer::kDone;
}

Answer Decompress(const void* codec, const char* src, size_t src_len, char* dst,
                  size_t dst_len) {
  const uadk_compressor* compressor = Get(codec).Compressor();
  if (compressor == nullptr) {
    return Answer::kFailed;
  }
  size_t len = 0;
  switch (uadk_compressor_decompress(compressor, src, src_len, dst, dst_len,
                                     &len)) {
    case UADK_STATUS_OK:
      return len == dst_len ? Answer::kDone : Answer::kCorrupt;
    case UADK_STATUS_CORRUPT:
    case UADK_STATUS_OUTPUT_FULL:
      return Answer::kCorrupt;
    default:
      return Answer::kFailed;
  }
}

}  // namespace

const CodecFunctions kCodecFunctions = {
    Clone,    WithSettings,     WithDictionary, Release,
    Compress, UncompressedSize, Decompress,     nullptr,
};

Setup StockCodecs(const std::shared_ptr<Engines>& engines) {
  Setup setup{};
  setup.name = "UadkStock";
  setup.preferred = 0xff;  // the options keep their types
  setup.stock = 1;
  for (Type type : {Type::kZlib, Type::kZstd, Type::kLz4, Type::kLz4Hc}) {
    setup.codecs[setup.count++] = {new StockCodec{engines, type, nullptr},
                                   static_cast<uint8_t>(type)};
  }
  return setup;
}

}  // namespace uadk_compress
