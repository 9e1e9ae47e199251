// Managers that a C++ program may have set in options.

#include <cstdint>
#include <memory>
#include <utility>

#include "rocksdb/advanced_compression.h"
#include "rocksdb/c.h"
#include "rocksdb/options.h"

// As in the adapter's shim/options.cc, which checks the layout.
struct rocksdb_options_t {
  rocksdb::Options rep;
};

namespace {

using rocksdb::CompressionManager;
using rocksdb::CompressionManagerWrapper;
using rocksdb::CompressionOptions;
using rocksdb::CompressionType;
using rocksdb::Compressor;

// Compresses all files with one type, whatever their options say.
class Chooser final : public CompressionManagerWrapper {
 public:
  explicit Chooser(CompressionType type)
      : CompressionManagerWrapper(rocksdb::GetBuiltinV2CompressionManager()),
        type_(type) {}

  const char* Name() const override { return "TestChooser"; }

  std::unique_ptr<Compressor> GetCompressor(const CompressionOptions& opts,
                                            CompressionType) override {
    return wrapped_->GetCompressor(opts, type_);
  }
  std::unique_ptr<Compressor> GetCompressorForSST(
      const rocksdb::FilterBuildingContext&, const CompressionOptions& opts,
      CompressionType) override {
    return wrapped_->GetCompressor(opts, type_);
  }

 private:
  const CompressionType type_;
};

// Its types need not be RocksDB's formats.
class Foreign final : public CompressionManagerWrapper {
 public:
  Foreign()
      : CompressionManagerWrapper(rocksdb::GetBuiltinV2CompressionManager()) {}

  const char* Name() const override { return "TestForeign"; }
  const char* CompatibilityName() const override { return "TestForeign"; }
};

}  // namespace

extern "C" {

// The kinds are those of `Manager` in src/lib.rs; `type` is for a Chooser.
void rocksdb_managers_set(rocksdb_options_t* options, uint8_t kind,
                          uint8_t type) {
  auto& manager = options->rep.compression_manager;
  switch (kind) {
    case 0:
      manager = rocksdb::CreateAutoSkipCompressionManager(nullptr);
      break;
    case 1:
      manager = rocksdb::CreateCostAwareCompressionManager(nullptr);
      break;
    case 2:
      manager = std::make_shared<Chooser>(static_cast<CompressionType>(type));
      break;
    default:
      manager = std::make_shared<Foreign>();
      break;
  }
}

const void* rocksdb_managers_get(const rocksdb_options_t* options) {
  return options->rep.compression_manager.get();
}

}  // extern "C"
