// Registers the plugin when a program starts, as a RocksDB does that was built
// with ROCKSDB_PLUGINS=uadk_compress.

#include "../uadk_compress_plugin.h"

namespace {

[[maybe_unused]] const int factories =
    uadk_compress_plugin_register(*rocksdb::ObjectLibrary::Default(), "");

}  // namespace
