// The records that the test programs and the Rust adapter's example `exchange`
// write, and how they are checked.

#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "check.h"
#include "rocksdb/db.h"

constexpr int kRecords = 20000;

inline std::string Key(int i) {
  char key[16];
  std::snprintf(key, sizeof key, "key%06d", i);
  return key;
}

inline std::string Value(int i) {
  std::string value;
  for (int repeat = 0; repeat <= i * 7 % 30; ++repeat) {
    value += "value " + std::to_string(i + repeat * repeat) + ", ";
  }
  return value;
}

// Writes all records to files, at the bottommost level, too.
inline void WriteRecords(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family) {
  for (int i = 0; i < kRecords; ++i) {
    CHECK_OK(db->Put({}, family, Key(i), Value(i)));
  }
  CHECK_OK(db->Flush({}, family));
  rocksdb::CompactRangeOptions compact;
  compact.bottommost_level_compaction =
      rocksdb::BottommostLevelCompaction::kForceOptimized;
  CHECK_OK(db->CompactRange(compact, family, nullptr, nullptr));
}

inline void CheckRecords(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family) {
  rocksdb::ReadOptions verified;
  verified.verify_checksums = true;
  const std::unique_ptr<rocksdb::Iterator> records(
      db->NewIterator(verified, family));
  int i = 0;
  for (records->SeekToFirst(); records->Valid(); records->Next(), ++i) {
    CHECK(records->key() == Key(i) && records->value() == Value(i));
  }
  CHECK_OK(records->status());
  CHECK(i == kRecords);
  for (i = 0; i < kRecords; i += 97) {
    std::string value;
    CHECK_OK(db->Get(verified, family, Key(i), &value));
    CHECK(value == Value(i));
  }
}
