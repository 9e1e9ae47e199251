#include "manager.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "rocksdb/advanced_options.h"
#include "rocksdb/utilities/options_type.h"

namespace uadk_compress {
namespace {

using rocksdb::CacheEntryRole;
using rocksdb::CompressionManager;
using rocksdb::CompressionOptions;
using rocksdb::CompressionType;
using rocksdb::Compressor;
using rocksdb::Decompressor;
using rocksdb::OptionTypeInfo;
using rocksdb::Slice;
using rocksdb::Status;

Status ToStatus(Answer answer) {
  switch (answer) {
    case Answer::kDone:
      return Status::OK();
    case Answer::kCorrupt:
      return Status::Corruption(
          "block is damaged: it does not decompress to its recorded size, or "
          "that size is impossible; restore the file from a replica or backup");
    default:
      return Status::IOError(
          "the block compressor failed to decompress a block; the data may be "
          "intact");
  }
}

// Compresses the blocks of one file.
class CodecCompressor final : public Compressor {
 public:
  // `builtin` compresses blocks with a dictionary; it may be null.
  CodecCompressor(Codec codec, CompressionType type, uint32_t parallel_threads,
                  std::unique_ptr<Compressor> builtin)
      : codec_(std::move(codec)),
        type_(type),
        parallel_threads_(parallel_threads),
        builtin_(std::move(builtin)) {}

  const char* Name() const override { return "UadkBlockCompressor"; }

  CompressionType GetPreferredCompressionType() const override { return type_; }

  uint32_t GetRecommendedParallelThreads() const override {
    return parallel_threads_;
  }

  DictConfig GetDictGuidance(CacheEntryRole block_type) const override {
    if (builtin_ == nullptr) {
      return DictDisabled{};
    }
    return builtin_->GetDictGuidance(block_type);
  }

  // RocksDB does not check the result; a failed allocation ends the process, as
  // it would in RocksDB's own compressors.
  std::unique_ptr<Compressor> Clone() const noexcept override {
    return std::make_unique<CodecCompressor>(
        codec_.Clone(), type_, parallel_threads_,
        builtin_ == nullptr ? nullptr : builtin_->Clone());
  }

  // Blocks with a dictionary are left to RocksDB.
  std::unique_ptr<Compressor> MaybeCloneSpecialized(
      CacheEntryRole block_type, DictConfigArgs&& dict) const override {
    if (builtin_ == nullptr) {
      return nullptr;
    }
    return builtin_->MaybeCloneSpecialized(block_type, std::move(dict));
  }

  Status CompressBlock(Slice uncompressed, char* output, size_t* output_size,
                       CompressionType* output_type,
                       ManagedWorkingArea* /*working_area*/) override {
    size_t written = 0;
    switch (codec_.Compress(uncompressed.data(), uncompressed.size(), output,
                            *output_size, &written)) {
      case Answer::kDone:
        *output_size = written;
        *output_type = type_;
        break;
      case Answer::kRejected:
        *output_size = 1;  // RocksDB counts this as rejected
        *output_type = rocksdb::kNoCompression;
        break;
      default:
        *output_size = 0;  // RocksDB counts this as bypassed
        *output_type = rocksdb::kNoCompression;
        break;
    }
    return Status::OK();
  }

 private:
  const Codec codec_;
  const CompressionType type_;
  const uint32_t parallel_threads_;
  const std::unique_ptr<Compressor> builtin_;
};

// Decompresses blocks of the codec's type. Leaves others and those with a
// dictionary to RocksDB's own decompressor.
class CodecDecompressor final : public rocksdb::DecompressorWrapper {
 public:
  CodecDecompressor(Codec codec, CompressionType type,
                    std::shared_ptr<Decompressor> builtin)
      : DecompressorWrapper(std::move(builtin)),
        codec_(std::move(codec)),
        type_(type) {}

  const char* Name() const override { return "UadkBlockDecompressor"; }

  Status ExtractUncompressedSize(Args& args) override {
    if (args.compression_type != type_) {
      return ExtractBuiltinSize(args);
    }
    size_t header_len = 0;
    const Answer answer = codec_.UncompressedSize(
        args.compressed_data.data(), args.compressed_data.size(), &header_len,
        &args.uncompressed_size);
    if (answer == Answer::kDone) {
      args.compressed_data.remove_prefix(header_len);
    }
    return ToStatus(answer);
  }

  Status DecompressBlock(const Args& args, char* output) override {
    if (args.compression_type != type_) {
      return DecompressorWrapper::DecompressBlock(args, output);
    }
    return ToStatus(codec_.Decompress(args.compressed_data.data(),
                                      args.compressed_data.size(), output,
                                      args.uncompressed_size));
  }

  size_t ApproximateOwnedMemoryUsage() const override {
    return sizeof(CodecDecompressor);
  }

 private:
  // RocksDB's own decompressor accepts any type and any size, and RocksDB
  // allocates that size.
  Status ExtractBuiltinSize(Args& args) {
    if (args.compression_type > rocksdb::kLastBuiltinCompression) {
      return Status::Corruption("block has an unknown compression type");
    }
    const Status status = DecompressorWrapper::ExtractUncompressedSize(args);
    if (status.ok() && args.uncompressed_size > kMaxBuiltinBlock) {
      return Status::Corruption("block claims an impossible size");
    }
    return status;
  }

  // RocksDB does not compress larger blocks (kCompressionSizeLimit).
  static constexpr uint64_t kMaxBuiltinBlock = INT32_MAX;

  const Codec codec_;
  const CompressionType type_;
};

// The options in `compression_manager={id=NAME;level=6}`.
struct ManagerOptions {
  int level = CompressionOptions::kDefaultCompressionLevel;
};

const std::unordered_map<std::string, OptionTypeInfo>& ManagerOptionsInfo() {
  static const std::unordered_map<std::string, OptionTypeInfo> info = {
      {"level", {offsetof(ManagerOptions, level), rocksdb::OptionType::kInt}}};
  return info;
}

class CodecManager final : public rocksdb::CompressionManagerWrapper {
 public:
  CodecManager(Codec codec, const Setup& setup)
      : CompressionManagerWrapper(rocksdb::GetBuiltinV2CompressionManager()),
        codec_(std::move(codec)),
        name_(setup.name),
        type_(static_cast<CompressionType>(setup.type)),
        stock_(setup.stock != 0),
        decompressor_(codec_.Clone(), type_, wrapped_->GetDecompressor()),
        zstd_decompressor_(
            codec_.Clone(), type_,
            wrapped_->GetDecompressorOptimizeFor(rocksdb::kZSTD)) {
    RegisterOptions("UadkCompressOptions", &options_, &ManagerOptionsInfo());
  }

  const char* Name() const override { return name_; }

  const char* CompatibilityName() const override {
    return stock_ ? wrapped_->CompatibilityName() : name_;
  }

  bool SupportsCompressionType(CompressionType type) const override {
    return type == type_ || wrapped_->SupportsCompressionType(type);
  }

  std::string CompressionTypeToString(CompressionType type) const override {
    return type == type_ && !stock_ ? name_
                                    : wrapped_->CompressionTypeToString(type);
  }

  std::unique_ptr<Compressor> GetCompressorForSST(
      const rocksdb::FilterBuildingContext& context,
      const CompressionOptions& opts, CompressionType preferred) override {
    return preferred == type_
               ? MakeCompressor(opts)
               : wrapped_->GetCompressorForSST(context, opts, preferred);
  }

  std::unique_ptr<Compressor> GetCompressor(const CompressionOptions& opts,
                                            CompressionType type) override {
    return type == type_ ? MakeCompressor(opts)
                         : wrapped_->GetCompressor(opts, type);
  }

  std::shared_ptr<Decompressor> GetDecompressor() override {
    return Shared(&decompressor_);
  }

  std::shared_ptr<Decompressor> GetDecompressorOptimizeFor(
      CompressionType type) override {
    return Shared(type == rocksdb::kZSTD ? &zstd_decompressor_
                                         : &decompressor_);
  }

  std::shared_ptr<Decompressor> GetDecompressorForTypes(
      const CompressionType* begin, const CompressionType* end) override {
    const auto contains = [&](CompressionType type) {
      return std::find(begin, end, type) != end;
    };
    if (!contains(type_)) {
      return wrapped_->GetDecompressorForTypes(begin, end);
    }
    return Shared(contains(rocksdb::kZSTD) ? &zstd_decompressor_
                                           : &decompressor_);
  }

 private:
  // Returns null, which means no compression, if compression is switched off or
  // there is not enough memory for a compressor.
  std::unique_ptr<Compressor> MakeCompressor(
      const CompressionOptions& opts) const {
    if (opts.max_compressed_bytes_per_kb <= 0) {
      return nullptr;
    }
    try {
      const int level =
          opts.level == CompressionOptions::kDefaultCompressionLevel
              ? options_.level
              : opts.level;
      Codec codec = level == CompressionOptions::kDefaultCompressionLevel
                        ? codec_.Clone()
                        : codec_.WithLevel(level);
      return std::make_unique<CodecCompressor>(
          std::move(codec), type_, opts.parallel_threads,
          stock_ ? wrapped_->GetCompressor(opts, type_) : nullptr);
    } catch (...) {
      return nullptr;
    }
  }

  std::shared_ptr<Decompressor> Shared(Decompressor* decompressor) {
    return {shared_from_this(), decompressor};
  }

  const Codec codec_;
  const char* const name_;
  const CompressionType type_;
  const bool stock_;
  ManagerOptions options_;
  CodecDecompressor decompressor_;
  // RocksDB's own decompressor for zstd has its own working area.
  CodecDecompressor zstd_decompressor_;
};

}  // namespace

std::unique_ptr<CompressionManager> MakeManager(const CodecFunctions* functions,
                                                const Setup& setup) {
  return std::make_unique<CodecManager>(Codec(functions, setup.codec), setup);
}

}  // namespace uadk_compress
