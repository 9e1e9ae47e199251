// The uncompressed size in front of a block: a little-endian base-128 varint,
// as RocksDB writes it for all its codecs but Snappy (util/coding.h,
// `EncodeVarint32`).

#pragma once

#include <cstddef>
#include <cstdint>

namespace uadk_compress {

// Writes `size` to the beginning of `dst` and returns the prefix's length; 0 if
// it does not fit.
inline size_t WriteSizePrefix(uint32_t size, char* dst, size_t dst_len) {
  for (size_t i = 0; i < dst_len; ++i) {
    if (size < 0x80) {
      dst[i] = static_cast<char>(size);
      return i + 1;
    }
    dst[i] = static_cast<char>(size | 0x80);
    size >>= 7;
  }
  return 0;
}

// Sets `size` to the prefix's value and returns its length; 0 if it is
// truncated or has more than 32 bits.
inline size_t ReadSizePrefix(const char* src, size_t src_len, uint32_t* size) {
  constexpr size_t kMaxLen = 5;
  uint64_t value = 0;
  for (size_t i = 0; i < src_len && i < kMaxLen; ++i) {
    const auto byte = static_cast<uint8_t>(src[i]);
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte < 0x80) {
      *size = static_cast<uint32_t>(value);
      return value <= UINT32_MAX ? i + 1 : 0;
    }
  }
  return 0;
}

}  // namespace uadk_compress
