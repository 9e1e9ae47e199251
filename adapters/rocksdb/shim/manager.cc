#include "manager.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "rocksdb/advanced_options.h"
#include "rocksdb/utilities/options_type.h"
#include "versions.h"

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
class CodecCompressor final : public VersionedCompressor {
 public:
  CodecCompressor(Codec codec, const CompressionOptions& opts,
                  std::unique_ptr<Compressor> inner)
      : VersionedCompressor(opts, std::move(inner)), codec_(std::move(codec)) {}

  const char* Name() const override { return "UadkBlockCompressor"; }

  CompressionType GetPreferredCompressionType() const override {
    return static_cast<CompressionType>(codec_.Type());
  }

 protected:
  std::unique_ptr<Compressor> CloneWith(
      std::unique_ptr<Compressor> inner) const override {
    return std::make_unique<CodecCompressor>(codec_.Clone(), opts_,
                                             std::move(inner));
  }

  // The inner compressor makes the dictionary. If the codec can't use it, the
  // inner compressor compresses the blocks, too.
  std::unique_ptr<Compressor> Specialize(CacheEntryRole block_type,
                                         DictArgs&& dict) const override {
    if (inner_ == nullptr) {
      return nullptr;
    }
    auto inner = inner_->MaybeCloneSpecialized(block_type, std::move(dict));
    if (inner == nullptr) {
      return nullptr;
    }
    const Slice dictionary = inner->GetSerializedDict();
    if (dictionary.empty()) {
      return nullptr;
    }
    auto codec = codec_.WithDictionary(dictionary.data(), dictionary.size());
    if (!codec) {
      return inner;
    }
    return std::make_unique<CodecCompressor>(std::move(*codec), opts_,
                                             std::move(inner));
  }

  Status Compress(Slice uncompressed, char* output, size_t* output_size,
                  CompressionType* output_type) override {
    size_t written = 0;
    switch (codec_.Compress(uncompressed.data(), uncompressed.size(), output,
                            *output_size, &written)) {
      case Answer::kDone:
        *output_size = written;
        *output_type = GetPreferredCompressionType();
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

class CodecManager final : public VersionedManager {
 public:
  // Wraps the manager that it replaces. That is null for RocksDB's own.
  CodecManager(Codecs codecs, const Setup& setup,
               std::shared_ptr<CompressionManager> replaced)
      : VersionedManager(replaced == nullptr
                             ? rocksdb::GetBuiltinV2CompressionManager()
                             : replaced),
        codecs_(std::move(codecs)),
        name_(setup.name),
        stock_(setup.stock != 0),
        replaced_(std::move(replaced)),
        decompressor_(codecs_.Clone(), wrapped_->GetDecompressor()),
        zstd_decompressor_(
            codecs_.Clone(),
            wrapped_->GetDecompressorOptimizeFor(rocksdb::kZSTD)) {
    RegisterOptions("UadkCompressOptions", &options_, &ManagerOptionsInfo());
  }

  // CheckedCast finds it by this name, which is short enough not to allocate.
  static const char* kClassName() { return "UadkManager"; }

  bool IsInstanceOf(const std::string& name) const override {
    return name == kClassName() || VersionedManager::IsInstanceOf(name);
  }

  const char* Name() const override { return name_; }

  const char* CompatibilityName() const override {
    return stock_ ? wrapped_->CompatibilityName() : name_;
  }

  bool SupportsCompressionType(CompressionType type) const override {
    return codecs_.Find(type) != nullptr ||
           wrapped_->SupportsCompressionType(type);
  }

  std::unique_ptr<Compressor> GetCompressorForSST(
      const rocksdb::FilterBuildingContext& context,
      const CompressionOptions& opts, CompressionType preferred) override {
    return MakeCompressor(opts, preferred, [&] {
      return wrapped_->GetCompressorForSST(context, opts, preferred);
    });
  }

  std::unique_ptr<Compressor> GetCompressor(const CompressionOptions& opts,
                                            CompressionType type) override {
    return MakeCompressor(opts, type,
                          [&] { return wrapped_->GetCompressor(opts, type); });
  }

  const std::shared_ptr<CompressionManager>& Replaced() const {
    return replaced_;
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

  // Returns a compressor for `type`, or for the type that a manager of the user
  // chooses. Null means no compression: it is switched off, that manager wants
  // none, or there is not enough memory.
  template <typename GetInner>
  std::unique_ptr<Compressor> MakeCompressor(const CompressionOptions& opts,
                                             CompressionType type,
                                             const GetInner& get_inner) const {
    try {
      const Codec* codec = codecs_.Find(type);
      std::unique_ptr<Compressor> inner;
      if (replaced_ != nullptr && replaced_->SupportsCompressionType(type)) {
        inner = get_inner();
        if (inner == nullptr) {
          return nullptr;
        }
        codec = codecs_.Find(inner->GetPreferredCompressionType());
      } else if (codec == nullptr || stock_) {
        inner = get_inner();
      }
      if (codec == nullptr) {
        return inner;
      }
      if (opts.max_compressed_bytes_per_kb <= 0) {
        return nullptr;
      }
      const int level =
          opts.level == CompressionOptions::kDefaultCompressionLevel
              ? options_.level
              : opts.level;
      if (stock_) {
        const auto configured = static_cast<CompressionType>(codec->Type());
        const Codec* of_level = codecs_.Find(TypeOfLevel(configured, level));
        codec = of_level == nullptr ? codec : of_level;
      }
      return std::make_unique<CodecCompressor>(
          codec->WithOptions(level, opts.checksum), opts, std::move(inner));
    } catch (...) {
      return nullptr;
    }
  }

  std::shared_ptr<Decompressor> Shared(Decompressor* decompressor) {
    return {shared_from_this(), decompressor};
  }

  const char* TypeName(CompressionType type) const override {
    return codecs_.Find(type) != nullptr && !stock_ ? name_ : nullptr;
  }

  const Codecs codecs_;
  const char* const name_;
  const bool stock_;
  const std::shared_ptr<CompressionManager> replaced_;
  ManagerOptions options_;
  CodecDecompressor decompressor_;
  // RocksDB's own decompressor for zstd has its own working area.
  CodecDecompressor zstd_decompressor_;
};

}  // namespace

std::unique_ptr<CompressionManager> MakeManager(
    const CodecFunctions* functions, const Setup& setup,
    std::shared_ptr<CompressionManager> replaced) {
  Codecs codecs;
  for (size_t i = 0; i < setup.count; ++i) {
    codecs.Add(Codec(functions, setup.codecs[i].codec, setup.codecs[i].type));
  }
  return std::make_unique<CodecManager>(std::move(codecs), setup,
                                        std::move(replaced));
}

std::shared_ptr<CompressionManager> WithoutCodecs(
    const std::shared_ptr<CompressionManager>& manager) noexcept {
  if (manager == nullptr) {
    return nullptr;
  }
  const auto* ours = manager->CheckedCast<CodecManager>();
  return ours == nullptr ? manager : ours->Replaced();
}

}  // namespace uadk_compress
