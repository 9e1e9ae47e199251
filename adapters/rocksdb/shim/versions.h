// What differs between the RocksDB versions that the shim compiles for, 10.4 to
// 11.12. The rest of the shim is the same for all of them: it derives from the
// classes here, which behave the same in each version.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "rocksdb/advanced_compression.h"
#include "rocksdb/version.h"

#define UADK_ROCKSDB_SINCE(major, minor) \
  (ROCKSDB_MAJOR > (major) ||            \
   (ROCKSDB_MAJOR == (major) && ROCKSDB_MINOR >= (minor)))

#if !UADK_ROCKSDB_SINCE(10, 4)
#error "RocksDB older than 10.4 has no CompressionManager"
#endif

namespace uadk_compress {

// 11.0: samples became one alternative of a variant, next to a dictionary made
// elsewhere and to none.
#if UADK_ROCKSDB_SINCE(11, 0)
using DictArgs = rocksdb::Compressor::DictConfigArgs;
#else
using DictArgs = rocksdb::Compressor::DictSampleArgs;
#endif

// Returns the type that compresses at a level. 11.8: LZ4 and LZ4HC share their
// levels, of which those up to 0 are LZ4's. Which of the two is configured only
// sets the default. (11.1 doesn't; those between were not looked at.)
inline rocksdb::CompressionType TypeOfLevel(rocksdb::CompressionType type,
                                            int level) {
#if UADK_ROCKSDB_SINCE(11, 8)
  const bool is_lz4 =
      type == rocksdb::kLZ4Compression || type == rocksdb::kLZ4HCCompression;
  if (is_lz4 &&
      level != rocksdb::CompressionOptions::kDefaultCompressionLevel) {
    return level < 1 ? rocksdb::kLZ4Compression : rocksdb::kLZ4HCCompression;
  }
#endif
  (void)level;
  return type;
}

// A compressor for the blocks of one file.
class VersionedCompressor : public rocksdb::Compressor {
 public:
  // `inner` recommends how to compress the file, trains and keeps dictionaries;
  // it may be null. `opts` are the file's.
  VersionedCompressor(const rocksdb::CompressionOptions& opts,
                      std::unique_ptr<rocksdb::Compressor> inner)
      : opts_(opts), inner_(std::move(inner)) {}

  rocksdb::Slice GetSerializedDict() const final {
    return inner_ == nullptr ? rocksdb::Slice() : inner_->GetSerializedDict();
  }

  // 11.0: a variant replaced the number of bytes to sample. Its first
  // alternative means the same as 0 bytes: no dictionary.
#if UADK_ROCKSDB_SINCE(11, 0)
  DictConfig GetDictGuidance(rocksdb::CacheEntryRole block_type) const final {
    return inner_ == nullptr ? DictConfig()
                             : inner_->GetDictGuidance(block_type);
  }
#else
  size_t GetMaxSampleSizeIfWantDict(
      rocksdb::CacheEntryRole block_type) const final {
    return inner_ == nullptr ? 0
                             : inner_->GetMaxSampleSizeIfWantDict(block_type);
  }
#endif

  // 10.9: Clone came, and MaybeCloneSpecialized became const. RocksDB does not
  // check what Clone returns, so a failed allocation ends the process, as it
  // would in RocksDB's own compressors.
#if UADK_ROCKSDB_SINCE(10, 9)
  std::unique_ptr<rocksdb::Compressor> Clone() const noexcept final {
    return CloneWith(inner_ == nullptr ? nullptr : inner_->Clone());
  }
  std::unique_ptr<rocksdb::Compressor> MaybeCloneSpecialized(
      rocksdb::CacheEntryRole block_type,
      DictArgs&& dict) const noexcept final {
    return Specialize(block_type, std::move(dict));
  }
#else
  std::unique_ptr<rocksdb::Compressor> MaybeCloneSpecialized(
      rocksdb::CacheEntryRole block_type, DictArgs&& dict) noexcept final {
    return Specialize(block_type, std::move(dict));
  }
#endif

  // 10.6: a buffer replaced the string, which is empty when passed in. The
  // buffer's length is the limit that RocksDB applied to the string afterwards.
  // For a block that is stored uncompressed, a size or a string that is not
  // empty means that it was tried.
#if UADK_ROCKSDB_SINCE(10, 6)
  rocksdb::Status CompressBlock(rocksdb::Slice uncompressed, char* output,
                                size_t* output_size,
                                rocksdb::CompressionType* output_type,
                                ManagedWorkingArea* /*working_area*/) final {
    return Compress(uncompressed, output, output_size, output_type);
  }
#else
  rocksdb::Status CompressBlock(rocksdb::Slice uncompressed,
                                std::string* output,
                                rocksdb::CompressionType* output_type,
                                ManagedWorkingArea* /*working_area*/) final {
    const auto per_kb = static_cast<uint64_t>(
        std::clamp(opts_.max_compressed_bytes_per_kb, 0, 1023));
    size_t size = static_cast<size_t>((per_kb * uncompressed.size()) >> 10);
    try {
      output->resize(size);
    } catch (const std::exception&) {
      *output_type = rocksdb::kNoCompression;
      return rocksdb::Status::OK();
    }
    rocksdb::Status status =
        Compress(uncompressed, output->data(), &size, output_type);
    output->resize(size);  // not longer than it was, or 1: can't fail
    return status;
  }
#endif

  // 11.2: a compressor may recommend a number of threads. 0 leaves it to the
  // options, as earlier versions always do.
#if UADK_ROCKSDB_SINCE(11, 2)
  uint32_t GetRecommendedParallelThreads() const final {
    return inner_ == nullptr ? 0 : inner_->GetRecommendedParallelThreads();
  }
#endif

  // 11.12, or a little earlier: it may override other options of its file, too.
#if UADK_ROCKSDB_SINCE(11, 12)
  void MaybeOverrideCompressionOptions(
      rocksdb::CompressionOptions* opts) const final {
    if (inner_ != nullptr) {
      inner_->MaybeOverrideCompressionOptions(opts);
    }
  }
#endif

 protected:
  // Returns an equal compressor around `inner`.
  virtual std::unique_ptr<rocksdb::Compressor> CloneWith(
      std::unique_ptr<rocksdb::Compressor> inner) const = 0;

  // Returns a compressor for one kind of block, such as one with a dictionary,
  // or null if this one is as good.
  virtual std::unique_ptr<rocksdb::Compressor> Specialize(
      rocksdb::CacheEntryRole block_type, DictArgs&& dict) const = 0;

  // Compresses a block to at most `*output_size` bytes, and sets the size and
  // the type. The type kNoCompression means that the block is to be stored
  // uncompressed, and the size whether it was tried (1) or not (0).
  virtual rocksdb::Status Compress(rocksdb::Slice uncompressed, char* output,
                                   size_t* output_size,
                                   rocksdb::CompressionType* output_type) = 0;

  const rocksdb::CompressionOptions opts_;
  const std::unique_ptr<rocksdb::Compressor> inner_;
};

// A manager with types of its own, that leaves others to the wrapped manager.
class VersionedManager : public rocksdb::CompressionManagerWrapper {
 public:
  using CompressionManagerWrapper::CompressionManagerWrapper;

  // 11.0: a wrapper returns itself if it is compatible. Before, it asked only
  // the wrapped manager, which would then read this manager's files.
#if !UADK_ROCKSDB_SINCE(11, 0)
  std::shared_ptr<rocksdb::CompressionManager> FindCompatibleCompressionManager(
      rocksdb::Slice compatibility_name) final {
    if (compatibility_name == CompatibilityName()) {
      return shared_from_this();
    }
    return wrapped_->FindCompatibleCompressionManager(compatibility_name);
  }
#endif

  // 10.6: removed. A wrapper asked the wrapped manager for the decompressor
  // that verifies what a compressor wrote.
#if !UADK_ROCKSDB_SINCE(10, 6)
  std::shared_ptr<rocksdb::Decompressor> GetDecompressorForCompressor(
      const rocksdb::Compressor& compressor) final {
    return GetDecompressorOptimizeFor(compressor.GetPreferredCompressionType());
  }
#endif

  // 11.3: managers name their types.
#if UADK_ROCKSDB_SINCE(11, 3)
  std::string CompressionTypeToString(
      rocksdb::CompressionType type) const final {
    const char* name = TypeName(type);
    return name != nullptr ? name : wrapped_->CompressionTypeToString(type);
  }
#endif

 protected:
  // Returns the name of a type that RocksDB has no name for, or null.
  virtual const char* TypeName(rocksdb::CompressionType type) const = 0;
};

}  // namespace uadk_compress
