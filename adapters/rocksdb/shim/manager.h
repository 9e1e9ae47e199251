// A CompressionManager that handles some compression types with codecs and
// leaves everything else to another manager, in most cases RocksDB's own.

#pragma once

#include <memory>

#include "codec.h"
#include "rocksdb/advanced_compression.h"

namespace uadk_compress {

// Creates the manager for `setup`, in place of `replaced`, which it wraps; null
// stands for RocksDB's own. Takes ownership of the setup's codecs.
std::unique_ptr<rocksdb::CompressionManager> MakeManager(
    const CodecFunctions* functions, const Setup& setup,
    std::shared_ptr<rocksdb::CompressionManager> replaced);

// Returns the manager that `manager` replaced if it is from MakeManager,
// otherwise `manager` itself.
std::shared_ptr<rocksdb::CompressionManager> WithoutCodecs(
    const std::shared_ptr<rocksdb::CompressionManager>& manager) noexcept;

}  // namespace uadk_compress
