// Writes and reads a database, as any C++ program does:
//
//   exchange write PATH OPTIONS...    creates it, with options as in an OPTIONS
//                                     file, and writes the records
//   exchange read PATH OPTIONS...     opens it, and checks the records
//   exchange reopen PATH              likewise, with the options of its file
//
// Prints the manager's name. It does not use the plugin, which may be linked
// with it, or preloaded, or missing.

#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "records.h"
#include "rocksdb/advanced_compression.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/utilities/options_util.h"

using rocksdb::ColumnFamilyDescriptor;
using rocksdb::ConfigOptions;
using rocksdb::DB;
using rocksdb::Options;

namespace {

ConfigOptions Strict() {
  ConfigOptions strict;
  strict.ignore_unknown_options = false;
  strict.ignore_unsupported_options = false;
  return strict;
}

Options ParseOptions(int count, char** strings) {
  Options options;
  options.create_if_missing = true;
  for (int i = 0; i < count; ++i) {
    const Options base = options;
    CHECK_OK(GetOptionsFromString(Strict(), base, strings[i], &options));
  }
  return options;
}

std::string ManagerName(DB* db) {
  const auto manager = db->GetOptions().compression_manager;
  return manager == nullptr ? "none" : manager->GetId();
}

void Reopen(const std::string& path) {
  rocksdb::DBOptions options;
  std::vector<ColumnFamilyDescriptor> families;
  CHECK_OK(LoadLatestOptions(Strict(), path, &options, &families));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::unique_ptr<DB> db;
  CHECK_OK(DB::Open(options, path, families, &handles, &db));
  CheckRecords(db.get(), handles[0]);
  std::printf("%s\n", ManagerName(db.get()).c_str());
  for (auto* handle : handles) {
    CHECK_OK(db->DestroyColumnFamilyHandle(handle));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc >= 3);
  const std::string command = argv[1], path = argv[2];
  if (command == "reopen") {
    Reopen(path);
    return 0;
  }
  CHECK(command == "write" || command == "read");
  const Options options = ParseOptions(argc - 3, argv + 3);
  std::unique_ptr<DB> db;
  CHECK_OK(DB::Open(options, path, &db));
  if (command == "write") {
    WriteRecords(db.get(), db->DefaultColumnFamily());
  }
  CheckRecords(db.get(), db->DefaultColumnFamily());
  std::printf("%s\n", ManagerName(db.get()).c_str());
  return 0;
}
