// Keys and values like db_bench's.

#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

#include "rocksdb/slice.h"

using Random = std::mt19937_64;

// Returns the key with a number: the number in big-endian order, and zeros.
inline std::string KeyFor(uint64_t number, size_t size) {
  std::string key(size, '0');
  for (size_t i = 0; i < 8; ++i) {
    key[i] = static_cast<char>(number >> (56 - 8 * i));
  }
  return key;
}

// Values that shrink to a ratio: pieces of random text, each repeated until it
// has 100 bytes.
class Values {
 public:
  Values(double ratio, size_t value_size, Random* random)
      : size_(value_size) {
    std::uniform_int_distribution<int> character(' ', '~');
    const auto random_len =
        std::max<size_t>(1, static_cast<size_t>(100 * ratio));
    while (data_.size() < std::max<size_t>(1048576, value_size)) {
      std::string piece;
      for (size_t i = 0; i < random_len; ++i) {
        piece.push_back(static_cast<char>(character(*random)));
      }
      while (piece.size() < 100) {
        piece += piece.substr(0, std::min(random_len, 100 - piece.size()));
      }
      data_ += piece;
    }
  }

  rocksdb::Slice Next() {
    if (position_ + size_ > data_.size()) {
      position_ = 0;
    }
    const rocksdb::Slice value(data_.data() + position_, size_);
    position_ += size_;
    return value;
  }

 private:
  const size_t size_;
  std::string data_;
  size_t position_ = 0;
};
