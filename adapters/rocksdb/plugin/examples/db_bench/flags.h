// The program's flags, which are db_bench's where both have them.

#pragma once

#include <cstdint>
#include <string>

struct Flags {
  std::string benchmarks =
      "fillseq,overwrite,readrandom,readwhilewriting,stats";
  std::string db;
  std::string compression_type = "zlib";
  std::string compression_manager = "none";
  std::string options;
  uint64_t num = 1000000;
  uint64_t reads = 0;  // 0: as many as `num`
  uint64_t threads = 1;
  uint64_t key_size = 16;
  uint64_t value_size = 100;
  uint64_t block_size = 4096;
  uint64_t cache_size = 32 << 20;
  uint64_t seed = 301;
  double compression_ratio = 0.5;
  bool use_existing_db = false;
};

// Parses flags like --num=1000. Ends the program with a message if one is not
// known or has no valid value, and with status 0 after --help.
Flags ParseFlags(int argc, char** argv);
