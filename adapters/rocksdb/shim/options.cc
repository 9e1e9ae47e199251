// The functions that the Rust side calls; declared in src/shim.rs.

#include <cstring>
#include <memory>
#include <string>

#include "codec.h"
#include "manager.h"
#include "rocksdb/c.h"
#include "rocksdb/options.h"
#include "rocksdb/utilities/object_registry.h"
#include "rocksdb/version.h"

// Private to RocksDB's db/c.cc. It has only this member, so the same
// declaration has the same layout; uadk_compress_layout_agrees checks it.
struct rocksdb_options_t {
  rocksdb::Options rep;
};

namespace {

using rocksdb::CompressionManager;
using uadk_compress::CodecFunctions;
using uadk_compress::Setup;

}  // namespace

extern "C" {

// Writes the version of the headers that this file was compiled with.
void uadk_compress_header_version(uint32_t version[3]) {
  version[0] = ROCKSDB_MAJOR;
  version[1] = ROCKSDB_MINOR;
  version[2] = ROCKSDB_PATCH;
}

// Writes the version that the linked library reports ("11.8.1"), truncated to
// fit.
void uadk_compress_linked_version(char* version, size_t len) {
  try {
    const std::string linked = rocksdb::GetRocksVersionAsString(true);
    std::strncpy(version, linked.c_str(), len - 1);
    version[len - 1] = '\0';
  } catch (...) {
    version[0] = '\0';
  }
}

// Returns whether options set through the C interface are found where these
// headers expect them.
bool uadk_compress_layout_agrees() try {
  rocksdb_options_t* options = rocksdb_options_create();
  const rocksdb::Options& rep = options->rep;
  bool agrees = rep.compression_manager == nullptr;

  rocksdb_options_set_max_open_files(options, 4321);
  rocksdb_options_set_write_buffer_size(options, 7654321);
  rocksdb_options_set_compression(options, rocksdb_zlib_compression);
  rocksdb_options_set_bottommost_compression(options, rocksdb_lz4_compression);
  rocksdb_options_set_compression_options_parallel_threads(options, 3);
  rocksdb_options_set_level0_file_num_compaction_trigger(options, 17);
  rocksdb_options_set_ttl(options, 86399);
  rocksdb_options_set_blob_file_size(options, 54321);
  agrees = agrees && rep.max_open_files == 4321 &&
           rep.write_buffer_size == 7654321 &&
           rep.compression == rocksdb::kZlibCompression &&
           rep.bottommost_compression == rocksdb::kLZ4Compression &&
           rep.compression_opts.parallel_threads == 3 &&
           rep.level0_file_num_compaction_trigger == 17 && rep.ttl == 86399 &&
           rep.blob_file_size == 54321;

  rocksdb_options_destroy(options);
  return agrees;
} catch (...) {
  return false;
}

// Writes the name of the schema that the manager in `options` has, truncated to
// fit, and returns true, if that is not RocksDB's own: a type may mean another
// format in it.
bool uadk_compress_has_foreign_schema(const rocksdb_options_t* options,
                                      char* name, size_t len) {
  const auto manager =
      uadk_compress::WithoutCodecs(options->rep.compression_manager);
  if (manager == nullptr) {
    return false;
  }
  const char* schema = manager->CompatibilityName();
  const auto& builtin = rocksdb::GetBuiltinV2CompressionManager();
  if (std::strcmp(schema, builtin->CompatibilityName()) == 0) {
    return false;
  }
  std::strncpy(name, schema, len - 1);
  name[len - 1] = '\0';
  return true;
}

// Sets a manager for `setup` and its compression type, if any, in `options`. It
// wraps the manager that is there. Takes ownership of the setup's codecs.
// Returns false if there is not enough memory.
bool uadk_compress_set_manager(rocksdb_options_t* options,
                               const CodecFunctions* functions,
                               const Setup* setup) {
  try {
    auto& manager = options->rep.compression_manager;
    manager = uadk_compress::MakeManager(functions, *setup,
                                         uadk_compress::WithoutCodecs(manager));
    const auto type = static_cast<rocksdb::CompressionType>(setup->preferred);
    if (type != rocksdb::kDisableCompressionOption) {
      options->rep.compression = type;
    }
    return true;
  } catch (...) {
    return false;
  }
}

// Undoes uadk_compress_set_manager, except for the compression type.
void uadk_compress_clear_manager(rocksdb_options_t* options) {
  auto& manager = options->rep.compression_manager;
  manager = uadk_compress::WithoutCodecs(manager);
}

// Lets RocksDB find a manager named `name`, through `functions->find`. Returns
// false if there is not enough memory.
bool uadk_compress_register(const CodecFunctions* functions, const char* name) {
  try {
    rocksdb::ObjectLibrary::Default()->AddFactory<CompressionManager>(
        name, [functions](const std::string& uri,
                          std::unique_ptr<CompressionManager>* guard,
                          std::string* message) -> CompressionManager* {
          try {
            Setup setup{};
            if (!functions->find(uri.c_str(), &setup)) {
              *message = "no block compressor is registered as " + uri;
              return nullptr;
            }
            *guard = uadk_compress::MakeManager(functions, setup, nullptr);
            return guard->get();
          } catch (...) {
            return nullptr;
          }
        });
    return true;
  } catch (...) {
    return false;
  }
}

}  // extern "C"
