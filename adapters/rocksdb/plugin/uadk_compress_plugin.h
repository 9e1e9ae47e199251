// uadk-compress in RocksDB: a compression manager for zlib, zstd and LZ4, found
// by its name:
//
//   compression_manager=UadkStock
//   compression_manager={id=UadkStock;level=1;offload=auto;verify=compressed}
//
// It writes RocksDB's own formats. `UadkZlib`, the name in version 0.1, is
// found, too. The options are those of uadk_compress.h.

#pragma once

#include <string>

#include "rocksdb/advanced_compression.h"
#include "rocksdb/utilities/object_registry.h"

// Registers the names. A RocksDB that was built with
// ROCKSDB_PLUGINS=uadk_compress calls it by itself. A program that was linked
// with the plugin's objects calls it with *ObjectLibrary::Default() and "".
// Returns the number of factories in `library`.
extern "C" int uadk_compress_plugin_register(rocksdb::ObjectLibrary& library,
                                             const std::string& unused);

namespace uadk_compress {

// Returns which engine did what for `manager`, as text; empty for any other
// manager than UadkStock.
std::string StatsText(const rocksdb::CompressionManager& manager);

}  // namespace uadk_compress
