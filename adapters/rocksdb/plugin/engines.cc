#include "engines.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace uadk_compress {
namespace {

// The formats at RocksDB's default levels. RocksDB's readers inflate with a
// window of 16 KiB (Zlib_DecompressBlock in its util/compression.cc).
constexpr char kDeflate[] = "format=deflate;level=1;window=16K";
constexpr char kZstd[] = "format=zstd;level=3";
constexpr char kLz4[] = "format=lz4;level=1";

// liblz4's LZ4HC_CLEVEL_DEFAULT.
constexpr char kLz4Hc[] = "level=9";

// The names of options, and their defaults in the library.
constexpr const char* kNames[] = {"offload", "verify"};
constexpr const char* kDefaults[] = {"auto", "off"};

bool IsWord(const std::string& value) {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return 'a' <= c && c <= 'z'; });
}

}  // namespace

const char* Engines::Name(Option option) {
  return kNames[option];
}

bool Engines::Set(Option option, const std::string& value, std::string* error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!IsWord(value)) {
    *error = Name(option) + (" is not a word: " + value);
    return false;
  }
  const std::string changed = value == kDefaults[option] ? "" : value;
  if (changed == options_[option]) {
    return true;
  }
  if (InUse()) {
    *error = Name(option) + std::string(" can't change while it is in use");
    return false;
  }
  const std::string before = std::exchange(options_[option], changed);
  if (SharedCompressor(WithOptions(kDeflate), error) == nullptr) {
    options_[option] = before;
    return false;
  }
  return true;
}

std::string Engines::Get(Option option) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return options_[option];
}

bool Engines::Check(std::string* error) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return SharedCompressor(WithOptions(kDeflate), error) != nullptr;
}

const uadk_compressor* Engines::For(Type type) {
  Slot& slot = SlotFor(type);
  const uadk_compressor* made = slot.made.load(std::memory_order_acquire);
  if (made != nullptr) {
    return made;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (slot.owner == nullptr) {
    slot.owner = Make(type);
    slot.made.store(slot.owner.get(), std::memory_order_release);
  }
  return slot.owner.get();
}

std::string Engines::StatsText() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  const auto add = [&](const char* format, const Slot& slot) {
    if (slot.owner == nullptr) {
      return;
    }
    char* counters = uadk_compressor_stats_text(slot.owner.get());
    if (counters != nullptr) {
      text.append(format).append(":\n").append(counters).append("\n");
    }
    uadk_compress_string_free(counters);
  };
  add("zlib", zlib_);
  add("zstd", zstd_);
  // Both types of LZ4 have the same counters.
  add("lz4", lz4_.owner != nullptr ? lz4_ : lz4_hc_);
  return text;
}

Engines::Slot& Engines::SlotFor(Type type) {
  switch (type) {
    case Type::kZlib:
      return zlib_;
    case Type::kLz4:
      return lz4_;
    case Type::kLz4Hc:
      return lz4_hc_;
    case Type::kZstd:
      break;
  }
  return zstd_;
}

CompressorHandle Engines::Make(Type type) const {
  std::string error;  // `Check` has succeeded with the same options
  switch (type) {
    case Type::kZlib:
      return SharedCompressor(WithOptions(kDeflate), &error);
    case Type::kZstd:
      return SharedCompressor(WithOptions(kZstd), &error);
    case Type::kLz4:
    case Type::kLz4Hc:
      break;
  }
  CompressorHandle lz4 = SharedCompressor(WithOptions(kLz4), &error);
  if (lz4 == nullptr || type == Type::kLz4) {
    return lz4;
  }
  return Reconfigured(lz4.get(), kLz4Hc, nullptr, 0);
}

std::string Engines::WithOptions(std::string options) const {
  for (int i = 0; i < kOptions; ++i) {
    if (!options_[i].empty()) {
      options.append(";").append(Name(static_cast<Option>(i)));
      options.append("=").append(options_[i]);
    }
  }
  return options;
}

bool Engines::InUse() const {
  const Slot* slots[] = {&zlib_, &lz4_, &lz4_hc_, &zstd_};
  return std::any_of(std::begin(slots), std::end(slots), [](const Slot* slot) {
    return slot->owner != nullptr;
  });
}

}  // namespace uadk_compress
