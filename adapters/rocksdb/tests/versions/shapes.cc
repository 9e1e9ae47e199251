// Calls the shim's manager as the table builder and reader of a release do, and
// prints the answers, which must be the same for all releases. The codec and
// RocksDB's own manager are stand-ins.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "manager.h"
#include "rocksdb/advanced_options.h"
#include "versions.h"

using rocksdb::CacheEntryRole;
using rocksdb::CompressionManager;
using rocksdb::CompressionOptions;
using rocksdb::CompressionType;
using rocksdb::Compressor;
using rocksdb::Decompressor;
using rocksdb::Slice;
using rocksdb::Status;
using uadk_compress::Answer;
using uadk_compress::CodecFunctions;
using uadk_compress::Setup;

// --- The codec ----------------------------------------------------------------

namespace {

struct TestCodec {
  int level;
  bool has_dictionaries;
  std::string dictionary;
};

const TestCodec& Get(const void* codec) {
  return *static_cast<const TestCodec*>(codec);
}

const void* Clone(const void* codec) { return new TestCodec(Get(codec)); }

const void* WithOptions(const void* codec, int32_t level, bool) {
  return new TestCodec{level, Get(codec).has_dictionaries, ""};
}

const void* WithDictionary(const void* codec, const char* dictionary,
                           size_t len) {
  return Get(codec).has_dictionaries
             ? new TestCodec{Get(codec).level, true, {dictionary, len}}
             : nullptr;
}

void Release(const void* codec) { delete static_cast<const TestCodec*>(codec); }

size_t capacity;  // of the last block

// Keeps every second byte of a block, but fails if it starts with an F.
Answer Compress(const void*, const char* src, size_t src_len, char* dst,
                size_t dst_len, size_t* written) {
  capacity = dst_len;
  if (src_len > 0 && src[0] == 'F') {
    return Answer::kBypassed;
  }
  *written = (src_len + 1) / 2;
  if (dst_len < *written) {
    return Answer::kRejected;
  }
  for (size_t i = 0; i < *written; ++i) {
    dst[i] = src[2 * i];
  }
  return Answer::kDone;
}

Answer UncompressedSize(const void*, const char*, size_t src_len,
                        size_t* header_len, uint64_t* size) {
  *header_len = 0;
  *size = 2 * src_len;
  return Answer::kDone;
}

Answer Decompress(const void*, const char* src, size_t src_len, char* dst,
                  size_t) {
  for (size_t i = 0; i < src_len; ++i) {
    dst[2 * i] = dst[2 * i + 1] = src[i];
  }
  return Answer::kDone;
}

bool Find(const char*, Setup*) { return false; }

const CodecFunctions kFunctions = {
    Clone,    WithOptions,      WithDictionary, Release,
    Compress, UncompressedSize, Decompress,     Find};

// --- RocksDB's own manager ------------------------------------------------------

class OwnCompressor final : public Compressor {
 public:
  explicit OwnCompressor(std::string dictionary)
      : dictionary_(std::move(dictionary)) {}

  const char* Name() const override { return "own compressor"; }
  CompressionType GetPreferredCompressionType() const override {
    return rocksdb::kZSTD;
  }
  Slice GetSerializedDict() const override { return dictionary_; }

#if UADK_ROCKSDB_SINCE(11, 0)
  DictConfig GetDictGuidance(CacheEntryRole) const override {
    return DictSampling{100};
  }
  std::unique_ptr<Compressor> MaybeCloneSpecialized(
      CacheEntryRole, DictConfigArgs&& dict) const override {
    auto* samples = std::get_if<DictSamples>(&dict);
    return samples == nullptr
               ? nullptr
               : std::make_unique<OwnCompressor>(samples->sample_data);
  }
#else
  size_t GetMaxSampleSizeIfWantDict(CacheEntryRole) const override {
    return 100;
  }
  std::unique_ptr<Compressor> MaybeCloneSpecialized(CacheEntryRole,
                                                    DictSampleArgs&& samples)
#if UADK_ROCKSDB_SINCE(10, 9)
      const
#endif
      override {
    return samples.empty()
               ? nullptr
               : std::make_unique<OwnCompressor>(samples.sample_data);
  }
#endif

#if UADK_ROCKSDB_SINCE(10, 9)
  std::unique_ptr<Compressor> Clone() const override {
    return std::make_unique<OwnCompressor>(dictionary_);
  }
#endif

#if UADK_ROCKSDB_SINCE(10, 6)
  Status CompressBlock(Slice, char*, size_t*, CompressionType*,
                       ManagedWorkingArea*) override {
#else
  Status CompressBlock(Slice, std::string*, CompressionType*,
                       ManagedWorkingArea*) override {
#endif
    std::abort();
  }

 private:
  const std::string dictionary_;
};

class OwnDecompressor final : public Decompressor {
 public:
  const char* Name() const override { return "own decompressor"; }
  const Slice& GetSerializedDict() const override { return dictionary_; }
  Status ExtractUncompressedSize(Args&) override { std::abort(); }
  Status DecompressBlock(const Args&, char*) override { std::abort(); }

 private:
  const Slice dictionary_;
};

class OwnManager final : public CompressionManager {
 public:
  const char* Name() const override { return "own manager"; }
  const char* CompatibilityName() const override { return "BuiltinV2"; }
  std::shared_ptr<CompressionManager> FindCompatibleCompressionManager(
      Slice compatibility_name) override {
    return compatibility_name == CompatibilityName() ? shared_from_this()
                                                     : nullptr;
  }
  bool SupportsCompressionType(CompressionType type) const override {
    return type <= rocksdb::kLastBuiltinCompression;
  }
  std::unique_ptr<Compressor> GetCompressor(const CompressionOptions&,
                                            CompressionType) override {
    return std::make_unique<OwnCompressor>("");
  }
  std::shared_ptr<Decompressor> GetDecompressor() override {
    return {shared_from_this(), &decompressor_};
  }
#if UADK_ROCKSDB_SINCE(11, 3)
  std::string CompressionTypeToString(CompressionType) const override {
    return "own type";
  }
#endif

 private:
  OwnDecompressor decompressor_;
};

// --- The release's side -----------------------------------------------------------

Setup MakeSetup(bool stock, CompressionType type, bool has_dictionaries) {
  Setup setup{};
  setup.codecs[0].codec = new TestCodec{0, has_dictionaries, ""};
  setup.codecs[0].type = type;
  setup.name = stock ? "UadkStock" : "Mine";
  setup.count = 1;
  setup.stock = stock;
  return setup;
}

std::shared_ptr<CompressionManager> Manager(bool stock, CompressionType type,
                                            bool has_dictionaries) {
  return uadk_compress::MakeManager(
      &kFunctions, MakeSetup(stock, type, has_dictionaries), nullptr);
}

void PrintBlock(Compressor* compressor, const std::string& block,
                int max_bytes_per_kb) {
  CompressionType type = rocksdb::kNoCompression;
  capacity = 0;
#if UADK_ROCKSDB_SINCE(10, 6)
  size_t size =
      (static_cast<size_t>(std::min(1023, max_bytes_per_kb)) * block.size()) >>
      10;
  std::string output(size, '\0');
  const Status status =
      compressor->CompressBlock(block, output.data(), &size, &type, nullptr);
#else
  // The limit is the shim's, from the options of the file.
  (void)max_bytes_per_kb;
  std::string output;
  const Status status =
      compressor->CompressBlock(block, &output, &type, nullptr);
  const size_t size = output.size();
#endif
  std::printf("%zu bytes into %zu: %s, ", block.size(), capacity,
              status.ok() ? "ok" : "error");
  if (type == rocksdb::kNoCompression) {
    std::printf("stored, %s\n", size == 0 ? "bypassed" : "rejected");
  } else {
    std::printf("%zu bytes of type %d, %.4s\n", size, static_cast<int>(type),
                output.c_str());
  }
}

void PrintBlocks(int max_bytes_per_kb) {
  std::printf("max_compressed_bytes_per_kb %d\n", max_bytes_per_kb);
  const auto manager = Manager(true, rocksdb::kZSTD, true);
  CompressionOptions opts;
  opts.max_compressed_bytes_per_kb = max_bytes_per_kb;
  const auto compressor = manager->GetCompressor(opts, rocksdb::kZSTD);
  if (compressor == nullptr) {
    std::printf("no compressor\n");
    return;
  }
  PrintBlock(compressor.get(), "aabbccdd", max_bytes_per_kb);
  PrintBlock(compressor.get(), std::string(16357, 'x'), max_bytes_per_kb);
  PrintBlock(compressor.get(), "F" + std::string(99, 'x'), max_bytes_per_kb);
  PrintBlock(compressor.get(), "a", max_bytes_per_kb);
}

uint64_t WantedSamples(const Compressor& compressor) {
#if UADK_ROCKSDB_SINCE(11, 0)
  const auto wanted = compressor.GetDictGuidance(CacheEntryRole::kDataBlock);
  const auto* sampling = std::get_if<Compressor::DictSampling>(&wanted);
  return sampling == nullptr ? 0 : sampling->max_sample_bytes;
#else
  return compressor.GetMaxSampleSizeIfWantDict(CacheEntryRole::kDataBlock);
#endif
}

std::unique_ptr<Compressor> Specialized(Compressor* compressor,
                                        const std::string& samples) {
#if UADK_ROCKSDB_SINCE(11, 0)
  if (samples.empty()) {
    return compressor->MaybeCloneSpecialized(CacheEntryRole::kDataBlock,
                                             Compressor::DictDisabled{});
  }
  return compressor->MaybeCloneSpecialized(
      CacheEntryRole::kDataBlock,
      Compressor::DictSamples{samples, {samples.size()}});
#else
  return compressor->MaybeCloneSpecialized(
      CacheEntryRole::kDataBlock,
      Compressor::DictSampleArgs{samples, {samples.size()}});
#endif
}

void Print(const char* what, const Compressor* compressor) {
  std::printf("%s: %s", what,
              compressor == nullptr ? "none" : compressor->Name());
  if (compressor != nullptr) {
    const Slice dictionary = compressor->GetSerializedDict();
    std::printf(", type %d, dictionary '%s'",
                static_cast<int>(compressor->GetPreferredCompressionType()),
                std::string(dictionary.data(), dictionary.size()).c_str());
  }
  std::printf("\n");
}

void PrintDictionaries(const char* codec, bool stock, CompressionType type,
                       bool has_dictionaries) {
  const auto manager = Manager(stock, type, has_dictionaries);
  const auto compressor = manager->GetCompressor({}, type);
  std::printf("%s: %llu bytes of samples\n", codec,
              static_cast<unsigned long long>(WantedSamples(*compressor)));
  Print("without samples", Specialized(compressor.get(), "").get());
  auto specialized = Specialized(compressor.get(), "samples");
  Print("with samples", specialized.get());
#if UADK_ROCKSDB_SINCE(10, 9)
  // Earlier releases have no use for a clone.
  for (const Compressor* original : {compressor.get(), specialized.get()}) {
    const auto clone = original == nullptr ? nullptr : original->Clone();
    if (original != nullptr &&
        (std::string(clone->Name()) != original->Name() ||
         clone->GetSerializedDict() != original->GetSerializedDict())) {
      std::printf("a clone differs\n");
    }
  }
#endif
}

void PrintManager(bool stock, CompressionType type) {
  const auto manager = Manager(stock, type, true);
  std::printf("%s, files of %s\n", manager->Name(),
              manager->CompatibilityName());
  for (const char* name : {"BuiltinV2", "Mine", "Other"}) {
    const auto compatible = manager->FindCompatibleCompressionManager(name);
    std::printf("manager for %s: %s\n", name,
                compatible == nullptr ? "none" : compatible->Name());
  }
  const auto compressor = manager->GetCompressor({}, type);
#if UADK_ROCKSDB_SINCE(10, 6)
  auto verifier = compressor->GetOptimizedDecompressor();
  if (verifier == nullptr) {
    verifier = manager->GetDecompressorOptimizeFor(
        compressor->GetPreferredCompressionType());
  }
#else
  auto verifier = manager->GetDecompressorForCompressor(*compressor);
#endif
  std::printf("verified by: %s\n", verifier->Name());
  const auto reader = manager->GetDecompressorForTypes(&type, &type + 1);
  Decompressor::Args args;
  args.compression_type = type;
  args.compressed_data = "abc";
  std::string output(6, '\0');
  const bool ok = reader->ExtractUncompressedSize(args).ok() &&
                  reader->DecompressBlock(args, output.data()).ok();
  std::printf("read by: %s, %s\n", reader->Name(), ok ? output.c_str() : "-");
#if UADK_ROCKSDB_SINCE(11, 3)
  const std::string expected = stock ? "own type" : "Mine";
  if (manager->CompressionTypeToString(type) != expected) {
    std::printf("the type has another name\n");
  }
#endif
}

}  // namespace

const std::shared_ptr<CompressionManager>&
rocksdb::GetBuiltinV2CompressionManager() {
  static const std::shared_ptr<CompressionManager> own =
      std::make_shared<OwnManager>();
  return own;
}

int main() {
  for (const int max_bytes_per_kb : {896, 400, 1023, 5000, 0}) {
    PrintBlocks(max_bytes_per_kb);
  }
  PrintDictionaries("stock, with dictionaries", true, rocksdb::kZSTD, true);
  PrintDictionaries("stock, without", true, rocksdb::kZlibCompression, false);
  const auto custom = static_cast<CompressionType>(0x80);
  PrintDictionaries("custom", false, custom, true);
  PrintManager(true, rocksdb::kZSTD);
  PrintManager(false, custom);
}
