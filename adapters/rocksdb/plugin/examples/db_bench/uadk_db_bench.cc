// A small db_bench: its benchmarks fillseq, fillrandom, overwrite, readrandom
// and readwhilewriting, with any compression manager that options can name.
// db_bench itself knows only RocksDB's own managers.
//
//   uadk_db_bench --db=/tmp/bench --compression_type=zstd
//       --compression_manager='{id=UadkStock;offload=auto}'

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "../../uadk_compress_plugin.h"
#include "flags.h"
#include "rocksdb/cache.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/table.h"
#include "stats.h"
#include "values.h"

namespace {

void CheckOk(const char* what, const rocksdb::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", what, status.ToString().c_str());
    std::exit(1);
  }
}

// Returns RocksDB's name in options for one of db_bench's.
std::string OptionFor(const std::string& compression_type) {
  static const std::vector<std::pair<std::string, std::string>> names = {
      {"none", "kNoCompression"},       {"zlib", "kZlibCompression"},
      {"zstd", "kZSTD"},                {"lz4", "kLZ4Compression"},
      {"lz4hc", "kLZ4HCCompression"},   {"snappy", "kSnappyCompression"}};
  for (const auto& [name, option] : names) {
    if (name == compression_type) {
      return option;
    }
  }
  return compression_type;  // it may be a name in options already
}

rocksdb::Options OptionsFor(const Flags& flags) {
  rocksdb::BlockBasedTableOptions table;
  table.block_size = flags.block_size;
  table.block_cache = rocksdb::NewLRUCache(flags.cache_size);
  table.format_version = 7;  // read through managers in every version

  rocksdb::Options base, options;
  base.create_if_missing = true;
  base.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  rocksdb::ConfigOptions strict;
  strict.ignore_unknown_options = false;
  strict.ignore_unsupported_options = false;
  std::string text = "compression=" + OptionFor(flags.compression_type) + ";";
  if (flags.compression_manager != "none") {
    text += "compression_manager=" + flags.compression_manager + ";";
  }
  CheckOk("options", rocksdb::GetOptionsFromString(
                         strict, base, text + flags.options, &options));
  return options;
}

class Bench {
 public:
  explicit Bench(const Flags& flags)
      : flags_(flags),
        options_(OptionsFor(flags)),
        reads_(flags.reads == 0 ? flags.num : flags.reads) {
    if (!flags_.use_existing_db) {
      CheckOk("delete", rocksdb::DestroyDB(flags_.db, options_));
    }
    CheckOk("open", rocksdb::DB::Open(options_, flags_.db, &db_));
  }

  // Returns false if there is no such benchmark.
  bool Run(const std::string& name) {
    if (name == "fillseq") {
      OnThreads(name, [&](uint64_t, Random* random) {
        return Write(flags_.num, Order::kSequential, random, nullptr);
      });
    } else if (name == "fillrandom" || name == "overwrite") {
      OnThreads(name, [&](uint64_t, Random* random) {
        return Write(flags_.num, Order::kRandom, random, nullptr);
      });
    } else if (name == "readrandom") {
      OnThreads(name, [&](uint64_t, Random* random) { return Read(random); });
    } else if (name == "readwhilewriting") {
      ReadWhileWriting(name);
    } else if (name == "compact") {
      CheckOk("compact", db_->CompactRange({}, nullptr, nullptr));
    } else if (name == "stats") {
      PrintStats();
    } else {
      return false;
    }
    return true;
  }

 private:
  enum class Order { kSequential, kRandom };

  using Work = std::function<Stats(uint64_t thread, Random* random)>;

  // Runs `work` on all threads, and prints what they did together.
  void OnThreads(const std::string& name, const Work& work) {
    std::vector<Stats> results(flags_.threads);
    std::vector<std::thread> threads;
    const Clock::time_point start = Clock::now();
    for (uint64_t i = 0; i < flags_.threads; ++i) {
      threads.emplace_back([&, i] {
        Random random(flags_.seed + 1000 * i);
        const Clock::time_point begin = Clock::now();
        results[i] = work(i, &random);
        results[i].seconds = SecondsSince(begin);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    const double elapsed = SecondsSince(start);
    Stats together;
    for (const Stats& result : results) {
      together.Add(result);
    }
    std::string message;
    if (name.rfind("read", 0) == 0) {
      message = "(" + std::to_string(together.found) + " of " +
                std::to_string(together.operations) + " found)";
    }
    Report(name.c_str(), together, elapsed, message);
  }

  // Writes `count` records, or until `*stop`.
  Stats Write(uint64_t count, Order order, Random* random,
              const std::atomic<bool>* stop) {
    Values values(flags_.compression_ratio, flags_.value_size, random);
    Stats stats;
    for (uint64_t i = 0; i < count && (stop == nullptr || !*stop); ++i) {
      const uint64_t number =
          order == Order::kSequential ? i : (*random)() % flags_.num;
      const std::string key = KeyFor(number, flags_.key_size);
      CheckOk("put", db_->Put({}, key, values.Next()));
      ++stats.operations;
      stats.bytes += flags_.key_size + flags_.value_size;
    }
    return stats;
  }

  Stats Read(Random* random) {
    Stats stats;
    rocksdb::PinnableSlice value;
    for (uint64_t i = 0; i < reads_; ++i) {
      const std::string key =
          KeyFor((*random)() % flags_.num, flags_.key_size);
      value.Reset();
      const rocksdb::Status status =
          db_->Get({}, db_->DefaultColumnFamily(), key, &value);
      ++stats.operations;
      if (status.ok()) {
        ++stats.found;
        stats.bytes += key.size() + value.size();
      } else if (!status.IsNotFound()) {
        CheckOk("get", status);
      }
    }
    return stats;
  }

  // As in db_bench, one more thread writes until all others have read, and is
  // not counted.
  void ReadWhileWriting(const std::string& name) {
    std::atomic<bool> stop{false};
    std::thread writer([&] {
      Random random(flags_.seed + 999);
      Write(UINT64_MAX, Order::kRandom, &random, &stop);
    });
    OnThreads(name, [&](uint64_t, Random* random) { return Read(random); });
    stop = true;
    writer.join();
  }

  void PrintStats() {
    std::string text;
    if (db_->GetProperty("rocksdb.stats", &text)) {
      std::puts(text.c_str());
    }
    if (options_.compression_manager != nullptr) {
      std::puts(uadk_compress::StatsText(*options_.compression_manager)
                    .c_str());
    }
  }

  const Flags flags_;
  const rocksdb::Options options_;
  const uint64_t reads_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

int main(int argc, char** argv) {
  const Flags flags = ParseFlags(argc, argv);
  Bench bench(flags);
  std::stringstream names(flags.benchmarks);
  for (std::string name; std::getline(names, name, ',');) {
    if (!bench.Run(name)) {
      std::fprintf(stderr, "unknown benchmark %s (--help lists all)\n",
                   name.c_str());
      return 1;
    }
  }
  return 0;
}
