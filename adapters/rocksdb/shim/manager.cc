#include "manager.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

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

// Codecs by type. There are so few that a search is as fast as a table.
class Codecs {
 public:
  void Add(Codec codec) { codecs_.push_back(std::move(codec)); }

  const Codec* Find(CompressionType type) const {
    for (const Codec& codec : codecs_) {
      if (codec.Type() == type) {
        return &codec;
      }
    }
    return nullptr;
  }

  Codecs Clone() const {
    Codecs clones;
    for (const Codec& codec : codecs_) {
      clones.Add(codec.Clone());
    }
    return clones;
  }

  // Returns the codecs whose formats have dictionaries.
  Codecs WithDictionary(const Slice& dictionary) const {
    Codecs with;
    for (const Codec& codec : codecs_) {
      if (auto added =
              codec.WithDictionary(dictionary.data(), dictionary.size())) {
        with.Add(std::move(*added));
      }
    }
    return with;
  }

 private:
  std::vector<Codec> codecs_;
};

// Compresses the blocks of one file.
class CodecCompressor final : public Compressor {
 public:
  // `builtin` knows the file's options, trains and keeps dictionaries; it may
  // be null.
  CodecCompressor(Codec codec, uint32_t parallel_threads,
                  std::unique_ptr<Compressor> builtin)
      : codec_(std::move(codec)),
        parallel_threads_(parallel_threads),
        builtin_(std::move(builtin)) {}

  const char* Name() const override { return "UadkBlockCompressor"; }

  CompressionType GetPreferredCompressionType() const override {
    return Type();
  }

  uint32_t GetRecommendedParallelThreads() const override {
    return parallel_threads_;
  }

  DictConfig GetDictGuidance(CacheEntryRole block_type) const override {
    if (builtin_ == nullptr) {
      return DictDisabled{};
    }
    return builtin_->GetDictGuidance(block_type);
  }

  Slice GetSerializedDict() const override {
    return builtin_ == nullptr ? Slice() : builtin_->GetSerializedDict();
  }

  // RocksDB does not check the result; a failed allocation ends the process, as
  // it would in RocksDB's own compressors.
  std::unique_ptr<Compressor> Clone() const noexcept override {
    return std::make_unique<CodecCompressor>(
        codec_.Clone(), parallel_threads_,
        builtin_ == nullptr ? nullptr : builtin_->Clone());
  }

  // The built-in compressor makes the dictionary. If the codec can't use it,
  // the built-in compressor compresses the blocks, too.
  std::unique_ptr<Compressor> MaybeCloneSpecialized(
      CacheEntryRole block_type, DictConfigArgs&& dict) const override {
    if (builtin_ == nullptr) {
      return nullptr;
    }
    auto builtin = builtin_->MaybeCloneSpecialized(block_type, std::move(dict));
    if (builtin == nullptr) {
      return nullptr;
    }
    const Slice dictionary = builtin->GetSerializedDict();
    if (dictionary.empty()) {
      return nullptr;
    }
    auto codec = codec_.WithDictionary(dictionary.data(), dictionary.size());
    if (!codec) {
      return builtin;
    }
    return std::make_unique<CodecCompressor>(
        std::move(*codec), parallel_threads_, std::move(builtin));
  }

  Status CompressBlock(Slice uncompressed, char* output, size_t* output_size,
                       CompressionType* output_type,
                       ManagedWorkingArea* /*working_area*/) override {
    size_t written = 0;
    switch (codec_.Compress(uncompressed.data(), uncompressed.size(), output,
                            *output_size, &written)) {
      case Answer::kDone:
        *output_size = written;
        *output_type = Type();
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
  CompressionType Type() const {
    return static_cast<CompressionType>(codec_.Type());
  }

  const Codec codec_;
  const uint32_t parallel_threads_;
  const std::unique_ptr<Compressor> builtin_;
};

// Decompresses blocks of the codecs' types. Leaves others to RocksDB's own
// decompressor.
class CodecDecompressor final : public rocksdb::DecompressorWrapper {
 public:
  CodecDecompressor(Codecs codecs, std::shared_ptr<Decompressor> builtin)
      : DecompressorWrapper(std::move(builtin)), codecs_(std::move(codecs)) {}

  const char* Name() const override { return "UadkBlockDecompressor"; }

  Status ExtractUncompressedSize(Args& args) override {
    const Codec* codec = codecs_.Find(args.compression_type);
    if (codec == nullptr) {
      return ExtractBuiltinSize(args);
    }
    size_t header_len = 0;
    const Answer answer = codec->UncompressedSize(
        args.compressed_data.data(), args.compressed_data.size(), &header_len,
        &args.uncompressed_size);
    if (answer == Answer::kDone) {
      args.compressed_data.remove_prefix(header_len);
    }
    return ToStatus(answer);
  }

  Status DecompressBlock(const Args& args, char* output) override {
    const Codec* codec = codecs_.Find(args.compression_type);
    if (codec == nullptr) {
      return DecompressorWrapper::DecompressBlock(args, output);
    }
    return ToStatus(codec->Decompress(args.compressed_data.data(),
                                      args.compressed_data.size(), output,
                                      args.uncompressed_size));
  }

  // Codecs digest the dictionary here, once for all blocks of a file.
  Status MaybeCloneForDict(const Slice& dictionary,
                           std::unique_ptr<Decompressor>* out) override {
    std::unique_ptr<Decompressor> builtin;
    Status status = wrapped_->MaybeCloneForDict(dictionary, &builtin);
    if (!status.ok()) {
      return status;
    }
    try {
      *out = std::make_unique<CodecDecompressor>(
          codecs_.WithDictionary(dictionary), std::move(builtin));
      return status;
    } catch (...) {
      return Status::MemoryLimit("no memory for a compression dictionary");
    }
  }

  // A digested dictionary takes a few times its length.
  size_t ApproximateOwnedMemoryUsage() const override {
    return sizeof(CodecDecompressor) + wrapped_->ApproximateOwnedMemoryUsage() +
           2 * wrapped_->GetSerializedDict().size();
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

  const Codecs codecs_;
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
  CodecManager(Codecs codecs, const Setup& setup)
      : CompressionManagerWrapper(rocksdb::GetBuiltinV2CompressionManager()),
        codecs_(std::move(codecs)),
        name_(setup.name),
        stock_(setup.stock != 0),
        decompressor_(codecs_.Clone(), wrapped_->GetDecompressor()),
        zstd_decompressor_(
            codecs_.Clone(),
            wrapped_->GetDecompressorOptimizeFor(rocksdb::kZSTD)) {
    RegisterOptions("UadkCompressOptions", &options_, &ManagerOptionsInfo());
  }

  const char* Name() const override { return name_; }

  const char* CompatibilityName() const override {
    return stock_ ? wrapped_->CompatibilityName() : name_;
  }

  bool SupportsCompressionType(CompressionType type) const override {
    return codecs_.Find(type) != nullptr ||
           wrapped_->SupportsCompressionType(type);
  }

  std::string CompressionTypeToString(CompressionType type) const override {
    return codecs_.Find(type) != nullptr && !stock_
               ? name_
               : wrapped_->CompressionTypeToString(type);
  }

  std::unique_ptr<Compressor> GetCompressorForSST(
      const rocksdb::FilterBuildingContext& context,
      const CompressionOptions& opts, CompressionType preferred) override {
    const Codec* codec = codecs_.Find(preferred);
    return codec != nullptr
               ? MakeCompressor(*codec, opts)
               : wrapped_->GetCompressorForSST(context, opts, preferred);
  }

  std::unique_ptr<Compressor> GetCompressor(const CompressionOptions& opts,
                                            CompressionType type) override {
    const Codec* codec = codecs_.Find(type);
    return codec != nullptr ? MakeCompressor(*codec, opts)
                            : wrapped_->GetCompressor(opts, type);
  }

  std::shared_ptr<Decompressor> GetDecompressor() override {
    return Shared(&decompressor_);
  }

  std::shared_ptr<Decompressor> GetDecompressorOptimizeFor(
      CompressionType type) override {
    return Shared(ForZstd(type) ? &zstd_decompressor_ : &decompressor_);
  }

  std::shared_ptr<Decompressor> GetDecompressorForTypes(
      const CompressionType* begin, const CompressionType* end) override {
    const bool ours = std::any_of(begin, end, [&](CompressionType type) {
      return codecs_.Find(type) != nullptr;
    });
    if (!ours) {
      return wrapped_->GetDecompressorForTypes(begin, end);
    }
    const bool zstd =
        std::any_of(begin, end, [&](auto type) { return ForZstd(type); });
    return Shared(zstd ? &zstd_decompressor_ : &decompressor_);
  }

 private:
  // Whether blocks of this type are left to RocksDB's decompressor for zstd.
  bool ForZstd(CompressionType type) const {
    return type == rocksdb::kZSTD && codecs_.Find(type) == nullptr;
  }

  // Returns null, which means no compression, if compression is switched off or
  // there is not enough memory for a compressor.
  std::unique_ptr<Compressor> MakeCompressor(
      const Codec& codec, const CompressionOptions& opts) const {
    if (opts.max_compressed_bytes_per_kb <= 0) {
      return nullptr;
    }
    try {
      const int level =
          opts.level == CompressionOptions::kDefaultCompressionLevel
              ? options_.level
              : opts.level;
      const auto type = static_cast<CompressionType>(codec.Type());
      auto builtin = stock_ ? wrapped_->GetCompressor(opts, type) : nullptr;
      const uint32_t parallel_threads =
          builtin == nullptr ? opts.parallel_threads
                             : builtin->GetRecommendedParallelThreads();
      return std::make_unique<CodecCompressor>(
          codec.WithOptions(level, opts.checksum), parallel_threads,
          std::move(builtin));
    } catch (...) {
      return nullptr;
    }
  }

  std::shared_ptr<Decompressor> Shared(Decompressor* decompressor) {
    return {shared_from_this(), decompressor};
  }

  const Codecs codecs_;
  const char* const name_;
  const bool stock_;
  ManagerOptions options_;
  CodecDecompressor decompressor_;
  // RocksDB's own decompressor for zstd has its own working area.
  CodecDecompressor zstd_decompressor_;
};

}  // namespace

std::unique_ptr<CompressionManager> MakeManager(const CodecFunctions* functions,
                                                const Setup& setup) {
  Codecs codecs;
  for (size_t i = 0; i < setup.count; ++i) {
    codecs.Add(Codec(functions, setup.codecs[i].codec, setup.codecs[i].type));
  }
  return std::make_unique<CodecManager>(std::move(codecs), setup);
}

}  // namespace uadk_compress
