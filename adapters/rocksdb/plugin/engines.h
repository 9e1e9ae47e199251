// The compressors of a manager, one for each of RocksDB's types.

#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "compressor.h"

namespace uadk_compress {

// RocksDB's CompressionTypes that the library has formats for.
enum class Type : uint8_t { kZlib = 2, kLz4 = 4, kLz4Hc = 5, kZstd = 7 };

// The compressors of a manager. Each is made when the first block or file needs
// it: by then the manager's options are set.
class Engines {
 public:
  Engines() = default;
  Engines(const Engines&) = delete;
  Engines& operator=(const Engines&) = delete;

  // Options of the library that a manager has, too.
  enum Option { kOffload, kVerify, kOptions };

  static const char* Name(Option option);

  // Sets an option, unless compressors with another value are in use. Returns
  // false and sets `error` if it is, or if the library refuses the value.
  bool Set(Option option, const std::string& value, std::string* error);

  // Returns an option's value; empty for its default.
  std::string Get(Option option) const;

  // Returns false and sets `error` if there can be no compressors, for example
  // because the environment demands an accelerator.
  bool Check(std::string* error) const;

  // Returns the compressor for a type, or null if the library fails to make it.
  const uadk_compressor* For(Type type);

  // Returns the counters of the compressors in use, as text.
  std::string StatsText() const;

 private:
  struct Slot {
    std::atomic<const uadk_compressor*> made{nullptr};
    CompressorHandle owner;
  };

  Slot& SlotFor(Type type);
  CompressorHandle Make(Type type) const;
  std::string WithOptions(std::string options) const;
  bool InUse() const;

  mutable std::mutex mutex_;  // of everything but `made`
  std::string options_[kOptions];
  Slot zlib_, lz4_, lz4_hc_, zstd_;
};

}  // namespace uadk_compress
