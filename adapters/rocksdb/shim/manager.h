// A CompressionManager that handles some compression types with codecs and
// leaves everything else to RocksDB's own manager.

#pragma once

#include <memory>

#include "codec.h"
#include "rocksdb/advanced_compression.h"

namespace uadk_compress {

// Creates the manager for `setup`. Takes ownership of the setup's codecs.
std::unique_ptr<rocksdb::CompressionManager> MakeManager(
    const CodecFunctions* functions, const Setup& setup);

}  // namespace uadk_compress
