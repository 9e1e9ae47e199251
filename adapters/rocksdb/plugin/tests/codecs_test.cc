// The codecs alone, without RocksDB: blocks, levels, damage, options. Their
// behaviour is that of the tests in src/codec.rs.

#include "../codecs.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../size_prefix.h"
#include "check.h"

namespace uadk_compress {
namespace {

constexpr int32_t kDefault = 32767;

// The codecs of one manager, by type.
class Manager {
 public:
  Manager() : engines_(std::make_shared<Engines>()) {
    const Setup setup = StockCodecs(engines_);
    CHECK(setup.count == 4 && setup.preferred == 0xff && setup.stock == 1);
    CHECK(std::strcmp(setup.name, "UadkStock") == 0);
    for (size_t i = 0; i < setup.count; ++i) {
      codecs_.emplace_back(&kCodecFunctions, setup.codecs[i].codec,
                           setup.codecs[i].type);
    }
  }

  const Codec& For(Type type) const {
    for (const Codec& codec : codecs_) {
      if (codec.Type() == static_cast<uint8_t>(type)) {
        return codec;
      }
    }
    CHECK(!"each type has a codec");
    return codecs_.front();
  }

  Engines& engines() { return *engines_; }

 private:
  std::shared_ptr<Engines> engines_;
  std::vector<Codec> codecs_;
};

constexpr Type kTypes[] = {Type::kZlib, Type::kZstd, Type::kLz4, Type::kLz4Hc};

std::string Words(size_t count) {
  const char* words[] = {"block", "page",  "column", "family",
                         "level", "index", "key"};
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += words[i * i % 53 % 7];
  }
  return text;
}

std::string Stored(const Codec& codec, const std::string& block) {
  std::string stored(block.size() + 100, '\0');
  size_t written = 0;
  CHECK(codec.Compress(block.data(), block.size(), &stored[0], stored.size(),
                       &written) == Answer::kDone);
  stored.resize(written);
  return stored;
}

// Reads a stored block as RocksDB does. Sets `answer`.
std::string Read(const Codec& codec, const std::string& stored,
                 Answer* answer) {
  size_t header_len = 0;
  uint64_t size = 0;
  *answer =
      codec.UncompressedSize(stored.data(), stored.size(), &header_len, &size);
  if (*answer != Answer::kDone) {
    return "";
  }
  std::string block(size, '\0');
  *answer = codec.Decompress(stored.data() + header_len,
                             stored.size() - header_len, &block[0], size);
  return block;
}

std::string MustRead(const Codec& codec, const std::string& stored) {
  Answer answer;
  std::string block = Read(codec, stored, &answer);
  CHECK(answer == Answer::kDone);
  return block;
}

void BlocksOfEveryTypeRoundTrip() {
  const Manager manager;
  for (Type type : kTypes) {
    const Codec& codec = manager.For(type);
    for (size_t count : {1, 7, 4000}) {
      const std::string block = Words(count);
      CHECK(MustRead(codec, Stored(codec, block)) == block);
      CHECK(MustRead(codec.Clone(), Stored(codec.Clone(), block)) == block);
    }
  }
}

void TooLittleSpaceIsARejectionAndNoneForThePrefixABypass() {
  const Manager manager;
  const std::string block = Words(1000);
  char dst[8];
  for (Type type : kTypes) {
    size_t written = 99;
    const auto answer = [&](size_t dst_len) {
      return manager.For(type).Compress(block.data(), block.size(), dst,
                                        dst_len, &written);
    };
    CHECK(answer(5) == Answer::kRejected && written == 0);
    CHECK(answer(1) == Answer::kBypassed && written == 0);
    CHECK(answer(0) == Answer::kBypassed && written == 0);
  }
}

void NoFlippedBitOrTruncationIsFatal() {
  const Manager manager;
  for (Type type : kTypes) {
    const Codec& codec = manager.For(type);
    const std::string stored = Stored(codec, Words(60));
    const auto damaged = [&](const std::string& bytes) {
      Answer answer;
      Read(codec, bytes, &answer);
      CHECK(answer == Answer::kDone || answer == Answer::kCorrupt);
      return answer;
    };
    for (size_t bit = 0; bit < 8 * stored.size(); ++bit) {
      std::string bytes = stored;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
      damaged(bytes);
    }
    for (size_t len = 0; len < stored.size(); ++len) {
      CHECK(damaged(stored.substr(0, len)) == Answer::kCorrupt);
    }
  }
}

void ABlockCannotClaimMoreThanDeflateCanHold() {
  const Manager manager;
  const auto claim = [&](uint32_t size, size_t payload) {
    char prefix[8];
    const size_t prefix_len = WriteSizePrefix(size, prefix, sizeof prefix);
    const std::string stored =
        std::string(prefix, prefix_len) + std::string(payload, '\0');
    size_t header_len = 0;
    uint64_t claimed = 0;
    return manager.For(Type::kZlib)
               .UncompressedSize(stored.data(), stored.size(), &header_len,
                                 &claimed) == Answer::kDone;
  };
  CHECK(claim(1032 * 100, 100) && !claim(1032 * 100 + 1, 100));
  CHECK(claim(0, 0) && !claim(1, 0) && !claim(UINT32_MAX, 100));
}

void TheSizePrefixIsRocksDbs() {
  char bytes[8];
  CHECK(WriteSizePrefix(16357, bytes, 8) == 2);
  CHECK(std::memcmp(bytes, "\xe5\x7f", 2) == 0);
  CHECK(WriteSizePrefix(16357, bytes, 1) == 0);
  for (int shift = 0; shift < 32; ++shift) {
    for (uint32_t size : {(1u << shift) - 1, 1u << shift, ~0u >> shift}) {
      uint32_t read = ~size;
      const size_t len = WriteSizePrefix(size, bytes, 8);
      CHECK(ReadSizePrefix(bytes, len, &read) == len && read == size);
      CHECK(ReadSizePrefix(bytes, len - 1, &read) == 0);
    }
  }
  uint32_t read;
  CHECK(ReadSizePrefix("\xff\xff\xff\xff\x1f", 5, &read) == 0);
  CHECK(ReadSizePrefix("\xff\xff\xff\xff\xff\x01", 6, &read) == 0);
}

void LevelsMeanWhatTheyMeanToRocksDb() {
  const Manager manager;
  const std::string block = Words(4000);
  const auto len = [&](Type type, int32_t level) {
    return Stored(manager.For(type).WithOptions(level, false), block).size();
  };
  CHECK(len(Type::kZlib, 1) > len(Type::kZlib, 9));
  CHECK(len(Type::kZlib, kDefault) == len(Type::kZlib, 1));
  CHECK(len(Type::kZlib, -1) == len(Type::kZlib, 1));
  CHECK(len(Type::kZlib, -100) == len(Type::kZlib, 0));
  CHECK(len(Type::kZlib, 100) == len(Type::kZlib, 12));
  CHECK(len(Type::kZstd, 0) == len(Type::kZstd, 3));
  CHECK(len(Type::kZstd, kDefault) == len(Type::kZstd, 3));
  CHECK(len(Type::kZstd, -1000000) > len(Type::kZstd, 19));
  CHECK(len(Type::kLz4, 9) == len(Type::kLz4, kDefault));
  CHECK(len(Type::kLz4, -1000) > len(Type::kLz4, 1));
  CHECK(len(Type::kLz4Hc, kDefault) == len(Type::kLz4Hc, 9));
  CHECK(len(Type::kLz4Hc, -5) == len(Type::kLz4Hc, 9));
  CHECK(len(Type::kLz4Hc, 1) == len(Type::kLz4Hc, 3));
  CHECK(len(Type::kLz4Hc, 12) < len(Type::kLz4, 1));
}

void AChecksumIsThatOfZstdAlone() {
  const Manager manager;
  const std::string block = Words(100);
  for (Type type : kTypes) {
    const size_t checksum = type == Type::kZstd ? 4 : 0;
    CHECK(Stored(manager.For(type).WithOptions(kDefault, true), block).size() ==
          Stored(manager.For(type), block).size() + checksum);
  }
}

void DictionariesAreOfZstdAndLz4() {
  const Manager manager;
  const std::string block = Words(40), dictionary = "words, " + Words(60);
  for (Type type : kTypes) {
    const Codec& plain = manager.For(type);
    const auto with =
        plain.WithDictionary(dictionary.data(), dictionary.size());
    CHECK(with.has_value() == (type != Type::kZlib));
    if (with) {
      const std::string stored = Stored(*with, block);
      CHECK(stored.size() < Stored(plain, block).size());
      CHECK(MustRead(*with, stored) == block);
      Answer answer;
      CHECK(Read(plain, stored, &answer) != block);
    }
  }
}

void OptionsAreCheckedAndFixedOnceInUse() {
  Manager manager;
  Engines& engines = manager.engines();
  std::string error;
  CHECK(engines.Check(&error));
  CHECK(!engines.Set(Engines::kOffload, "sometimes", &error));
  CHECK(Contains(error, "expected auto, off or require"));
  CHECK(!engines.Set(Engines::kVerify, "off;level=9", &error));
  CHECK(Contains(error, "verify is not a word"));

  CHECK(engines.Set(Engines::kOffload, "off", &error));
  CHECK(engines.Set(Engines::kVerify, "both", &error));
  CHECK(engines.Get(Engines::kOffload) == "off");
  CHECK(engines.Get(Engines::kVerify) == "both");
  CHECK(engines.StatsText().empty());

  MustRead(manager.For(Type::kZstd), Stored(manager.For(Type::kZstd), "aaaa"));
  CHECK(Contains(engines.StatsText(), "zstd:\n"));
  CHECK(engines.Set(Engines::kOffload, "off", &error));
  CHECK(!engines.Set(Engines::kOffload, "auto", &error));
  CHECK(Contains(error, "while it is in use"));
  CHECK(engines.Get(Engines::kOffload) == "off");

  Manager defaults;
  CHECK(defaults.engines().Set(Engines::kOffload, "auto", &error));
  CHECK(defaults.engines().Get(Engines::kOffload).empty());
}

void ManagersWithTheSameOptionsShareCompressors() {
  Manager first, second, off;
  std::string error;
  CHECK(off.engines().Set(Engines::kOffload, "off", &error));
  const auto* compressor = first.engines().For(Type::kLz4);
  CHECK(compressor != nullptr);
  CHECK(second.engines().For(Type::kLz4) == compressor);
  CHECK(off.engines().For(Type::kLz4) != compressor);
}

}  // namespace
}  // namespace uadk_compress

int main() {
  using namespace uadk_compress;
  BlocksOfEveryTypeRoundTrip();
  TooLittleSpaceIsARejectionAndNoneForThePrefixABypass();
  NoFlippedBitOrTruncationIsFatal();
  ABlockCannotClaimMoreThanDeflateCanHold();
  TheSizePrefixIsRocksDbs();
  LevelsMeanWhatTheyMeanToRocksDb();
  AChecksumIsThatOfZstdAlone();
  DictionariesAreOfZstdAndLz4();
  OptionsAreCheckedAndFixedOnceInUse();
  ManagersWithTheSameOptionsShareCompressors();
  std::puts("passed");
  return 0;
}
