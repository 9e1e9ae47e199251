// The plugin in RocksDB: names, options, every type, and what ran where.

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "../uadk_compress_plugin.h"
#include "check.h"
#include "records.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/table.h"
#include "rocksdb/utilities/options_util.h"

using rocksdb::CompressionManager;
using rocksdb::ConfigOptions;
using rocksdb::DB;
using rocksdb::Options;
using rocksdb::Status;
using Manager = std::shared_ptr<CompressionManager>;

namespace {

std::string root;  // of the databases

ConfigOptions Strict() {
  ConfigOptions strict;
  strict.ignore_unknown_options = false;
  strict.ignore_unsupported_options = false;
  return strict;
}

Status Create(const std::string& text, Manager* manager) {
  return CompressionManager::CreateFromString(Strict(), text, manager);
}

Options OptionsWith(rocksdb::CompressionType type, const Manager& manager) {
  Options options;
  options.create_if_missing = true;
  options.compression = type;
  options.compression_manager = manager;
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 7;  // read by managers in every version
  options.table_factory.reset(NewBlockBasedTableFactory(table));
  return options;
}

std::unique_ptr<DB> Open(const Options& options, const std::string& name) {
  std::unique_ptr<DB> db;
  CHECK_OK(DB::Open(options, root + "/" + name, &db));
  return db;
}

// Returns whether the manager's compressor of a format has been used.
bool Worked(const Manager& manager, const std::string& format) {
  return Contains(uadk_compress::StatsText(*manager), format + ":\n");
}

void BothNamesAreFoundAndMeanTheSame() {
  for (const char* name : {"UadkStock", "UadkZlib"}) {
    Manager manager;
    CHECK_OK(Create(name, &manager));
    CHECK(std::string(manager->Name()) == "UadkStock");
    CHECK(std::string(manager->CompatibilityName()) == "BuiltinV2");
  }
  Manager manager;
  CHECK(!Create("UadkStocks", &manager).ok());
}

void OptionsAreParsedAndWritten() {
  Manager manager;
  CHECK_OK(Create("{id=UadkStock;level=9;offload=off;verify=both}", &manager));
  const std::string text = manager->ToString(Strict());
  for (const char* part : {"level=9", "offload=off", "verify=both"}) {
    CHECK(Contains(text, part));
  }
  Manager same, other;
  CHECK_OK(Create("{" + text + "}", &same));
  CHECK_OK(Create("{id=UadkStock;level=9;offload=off}", &other));
  std::string mismatch;
  CHECK(same->AreEquivalent(Strict(), manager.get(), &mismatch));
  CHECK(!other->AreEquivalent(Strict(), manager.get(), &mismatch));
  CHECK(mismatch == "verify");

  Manager defaults;
  CHECK_OK(Create("{id=UadkStock;offload=auto;verify=off}", &defaults));
  CHECK(!Contains(defaults->ToString(Strict()), "offload"));
}

void WrongOptionsAreErrorsThatSayWhatIsExpected() {
  Manager manager;
  for (const auto& [option, part] :
       {std::pair{"offload=sometimes", "expected auto, off or require"},
        std::pair{"verify=on", "expected off, compressed or both"},
        std::pair{"levle=1", "levle"}, std::pair{"level=high", "level"}}) {
    const Status status =
        Create("{id=UadkStock;" + std::string(option) + "}", &manager);
    CHECK(!status.ok());
    if (!Contains(status.ToString(), part)) {
      std::fprintf(stderr, "%s: %s\n", option, status.ToString().c_str());
      std::exit(1);
    }
  }
}

void AMachineWithoutAnAcceleratorRefusesToRequireOne() {
  Manager manager;
  const Status status = Create("{id=UadkStock;offload=require}", &manager);
  CHECK(status.IsInvalidArgument());
  setenv("UADK_COMPRESS_OFFLOAD", "require", 1);
  CHECK(!Create("UadkStock", &manager).ok());
  unsetenv("UADK_COMPRESS_OFFLOAD");
}

// Files are RocksDB's: a program without the manager reads them.
void EveryTypeIsWrittenAndReadAndRocksDbReadsIt() {
  const struct {
    const char* name;
    rocksdb::CompressionType type;
    const char* format;
  } cases[] = {{"zlib", rocksdb::kZlibCompression, "zlib"},
               {"zstd", rocksdb::kZSTD, "zstd"},
               {"lz4", rocksdb::kLZ4Compression, "lz4"},
               {"lz4hc", rocksdb::kLZ4HCCompression, "lz4"}};
  for (const auto& [name, type, format] : cases) {
    for (uint32_t dictionary : {0, 16384}) {
      Manager manager;
      CHECK_OK(Create("{id=UadkStock;offload=off}", &manager));
      Options options = OptionsWith(type, manager);
      options.compression_opts.max_dict_bytes = dictionary;
      const std::string path = name + std::to_string(dictionary);
      auto db = Open(options, path);
      WriteRecords(db.get(), db->DefaultColumnFamily());
      CheckRecords(db.get(), db->DefaultColumnFamily());
      CHECK(Worked(manager, format));
      CHECK_OK(db->VerifyChecksum());
      db.reset();
      db = Open(OptionsWith(type, nullptr), path);
      CheckRecords(db.get(), db->DefaultColumnFamily());
    }
  }
}

// And it reads RocksDB's.
void FilesOfRocksDbAreReadByTheManager() {
  auto db = Open(OptionsWith(rocksdb::kZSTD, nullptr), "stock");
  WriteRecords(db.get(), db->DefaultColumnFamily());
  db.reset();
  Manager manager;
  CHECK_OK(Create("{id=UadkStock;verify=compressed}", &manager));
  db = Open(OptionsWith(rocksdb::kZSTD, manager), "stock");
  CheckRecords(db.get(), db->DefaultColumnFamily());
  CHECK(Worked(manager, "zstd"));
}

void OptionsFilesRememberTheManager() {
  Manager manager;
  CHECK_OK(Create("{id=UadkZlib;level=6;verify=both}", &manager));
  auto db = Open(OptionsWith(rocksdb::kZlibCompression, manager), "options");
  WriteRecords(db.get(), db->DefaultColumnFamily());
  db.reset();

  rocksdb::DBOptions options;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  CHECK_OK(LoadLatestOptions(Strict(), root + "/options", &options, &families));
  const Manager loaded = families[0].options.compression_manager;
  CHECK(loaded != nullptr);
  CHECK(Contains(loaded->ToString(Strict()), "verify=both"));
  db = Open(Options(options, families[0].options), "options");
  CheckRecords(db.get(), db->DefaultColumnFamily());
  CHECK(Worked(loaded, "zlib"));

  // Another manager, and none, while the database runs.
  CHECK_OK(db->SetOptions({{"compression_manager", "{id=UadkStock;level=1}"}}));
  CHECK(Contains(db->GetOptions().compression_manager->ToString(Strict()),
                 "level=1"));
  CHECK_OK(db->SetOptions({{"compression_manager", "nullptr"}}));
  WriteRecords(db.get(), db->DefaultColumnFamily());
  CheckRecords(db.get(), db->DefaultColumnFamily());
}

void OtherManagersHaveNoCounters() {
  CHECK(uadk_compress::StatsText(*rocksdb::GetBuiltinV2CompressionManager())
            .empty());
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 2);
  root = argv[1];
  uadk_compress_plugin_register(*rocksdb::ObjectLibrary::Default(), "");
  BothNamesAreFoundAndMeanTheSame();
  OptionsAreParsedAndWritten();
  WrongOptionsAreErrorsThatSayWhatIsExpected();
  AMachineWithoutAnAcceleratorRefusesToRequireOne();
  EveryTypeIsWrittenAndReadAndRocksDbReadsIt();
  FilesOfRocksDbAreReadByTheManager();
  OptionsFilesRememberTheManager();
  OtherManagersHaveNoCounters();
  std::puts("passed");
  return 0;
}
