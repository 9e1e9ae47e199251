// The plugin as a library of its own, for programs that were built without it:
//
//   LD_PRELOAD=libuadk_compress_rocksdb.so program
//
// It registers the names. A program whose options name a manager needs no more.
// For all other programs, UADK_COMPRESS_ROCKSDB is the manager of every column
// family whose options don't name one:
//
//   UADK_COMPRESS_ROCKSDB='{id=UadkStock;verify=compressed}'

#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "rocksdb/convenience.h"
#include "rocksdb/options.h"
#include "rocksdb/version.h"
#include "uadk_compress_plugin.h"

namespace {

using rocksdb::ColumnFamilyOptions;
using rocksdb::CompressionManager;
using Manager = std::shared_ptr<CompressionManager>;

// The manager for new options, or null. Never freed: threads may still use it
// when the process exits.
std::atomic<const Manager*> default_manager{nullptr};

void Warn(const std::string& text) {
  std::fprintf(stderr, "libuadk_compress_rocksdb.so: %s\n", text.c_str());
}

// The layout of RocksDB's classes is that of one version.
bool VersionsAgree() {
  const std::string built = std::to_string(ROCKSDB_MAJOR) + "." +
                            std::to_string(ROCKSDB_MINOR) + "." +
                            std::to_string(ROCKSDB_PATCH);
  const std::string linked = rocksdb::GetRocksVersionAsString(true);
  if (built != linked) {
    Warn("built for RocksDB " + built + ", but the program uses " + linked +
         ": not used; build it with the headers of that version");
  }
  return built == linked;
}

void SetDefault(const std::string& wanted) {
  rocksdb::ConfigOptions strict;
  strict.ignore_unknown_options = false;
  strict.ignore_unsupported_options = false;
  auto manager = std::make_unique<Manager>();
  const rocksdb::Status status =
      CompressionManager::CreateFromString(strict, wanted, manager.get());
  if (status.ok()) {
    default_manager.store(manager.release(), std::memory_order_release);
  } else {
    Warn("UADK_COMPRESS_ROCKSDB=" + wanted + ": " + status.ToString());
  }
}

// Runs after RocksDB's own constructors, as this library is linked with it.
__attribute__((constructor)) void Load() {
  try {
    if (!VersionsAgree()) {
      return;
    }
    uadk_compress_plugin_register(*rocksdb::ObjectLibrary::Default(), "");
    const char* wanted = std::getenv("UADK_COMPRESS_ROCKSDB");
    if (wanted != nullptr && *wanted != '\0') {
      SetDefault(wanted);
    }
  } catch (...) {
    Warn("not enough memory");
  }
}

// RocksDB's constructor, which the functions below replace. It exists: a program
// that calls it would not start otherwise.
void Construct(ColumnFamilyOptions* options, const char* symbol) {
  using Constructor = void (*)(ColumnFamilyOptions*);
  reinterpret_cast<Constructor>(dlsym(RTLD_NEXT, symbol))(options);
  const Manager* manager = default_manager.load(std::memory_order_acquire);
  if (manager != nullptr) {
    options->compression_manager = *manager;
  }
}

}  // namespace

// ColumnFamilyOptions::ColumnFamilyOptions(), which every program calls for the
// options of each column family, as a whole object and as a base of Options.
#define COMPLETE "_ZN7rocksdb19ColumnFamilyOptionsC1Ev"
#define BASE "_ZN7rocksdb19ColumnFamilyOptionsC2Ev"

extern "C" {

void uadk_compress_complete(ColumnFamilyOptions* options) __asm__(COMPLETE);
void uadk_compress_base(ColumnFamilyOptions* options) __asm__(BASE);

void uadk_compress_complete(ColumnFamilyOptions* options) {
  Construct(options, COMPLETE);
}

void uadk_compress_base(ColumnFamilyOptions* options) {
  Construct(options, BASE);
}

}  // extern "C"
