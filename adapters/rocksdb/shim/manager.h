// A CompressionManager that leaves everything to RocksDB's own, except one
// compression type, which goes through a codec.

#pragma once

#include <memory>

#include "codec.h"
#include "rocksdb/advanced_compression.h"

namespace uadk_compress {

// The manager for `setup`. Takes the setup's codec.
std::unique_ptr<rocksdb::CompressionManager> MakeManager(
    const CodecFunctions* functions, const Setup& setup);

}  // namespace uadk_compress
