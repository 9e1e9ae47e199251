#include "flags.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <variant>
#include <vector>

namespace {

struct Flag {
  const char* name;
  const char* help;
  std::variant<std::string*, uint64_t*, double*, bool*> value;
};

std::vector<Flag> AllFlags(Flags* flags) {
  return {
      {"benchmarks",
       "fillseq, fillrandom, overwrite, readrandom, readwhilewriting, compact, "
       "stats",
       &flags->benchmarks},
      {"db", "directory of the database; it is deleted first", &flags->db},
      {"compression_type", "none, zlib, zstd, lz4, lz4hc or snappy",
       &flags->compression_type},
      {"compression_manager",
       "any manager as in an OPTIONS file, such as UadkStock or "
       "{id=UadkStock;offload=off}, or none",
       &flags->compression_manager},
      {"options", "other options, as in an OPTIONS file", &flags->options},
      {"num", "number of keys", &flags->num},
      {"reads", "reads of each thread; 0: as many as keys", &flags->reads},
      {"threads", "threads that write or read", &flags->threads},
      {"key_size", "bytes of a key, from 8", &flags->key_size},
      {"value_size", "bytes of a value", &flags->value_size},
      {"block_size", "bytes of a block", &flags->block_size},
      {"cache_size", "bytes of the block cache", &flags->cache_size},
      {"seed", "of the random numbers", &flags->seed},
      {"compression_ratio", "of the values", &flags->compression_ratio},
      {"use_existing_db", "keep the database", &flags->use_existing_db},
  };
}

[[noreturn]] void Help() {
  Flags defaults;
  std::puts("uadk_db_bench: a small db_bench for any compression manager\n");
  for (const Flag& flag : AllFlags(&defaults)) {
    std::printf("  --%-22s%s\n", (std::string(flag.name) + "=").c_str(),
                flag.help);
  }
  std::exit(0);
}

// Parsers set a value and return true, or return false.

bool Parse(const std::string& text, std::string* value) {
  *value = text;
  return true;
}

bool Parse(const std::string& text, uint64_t* value) {
  char* end = nullptr;
  *value = std::strtoull(text.c_str(), &end, 10);
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) &&
         *end == '\0';
}

bool Parse(const std::string& text, double* value) {
  char* end = nullptr;
  *value = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0' && *value > 0 && *value <= 1;
}

bool Parse(const std::string& text, bool* value) {
  *value = text == "true" || text == "1";
  return *value || text == "false" || text == "0";
}

bool Set(const std::vector<Flag>& flags, const std::string& name,
         const std::string& text) {
  for (const Flag& flag : flags) {
    if (name == flag.name) {
      return std::visit([&](auto* value) { return Parse(text, value); },
                        flag.value);
    }
  }
  return false;
}

}  // namespace

Flags ParseFlags(int argc, char** argv) {
  Flags flags;
  const std::vector<Flag> all = AllFlags(&flags);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help") {
      Help();
    }
    const size_t separator = argument.find('=');
    if (argument.rfind("--", 0) != 0 || separator == std::string::npos ||
        !Set(all, argument.substr(2, separator - 2),
             argument.substr(separator + 1))) {
      std::fprintf(stderr, "invalid argument %s (--help lists all)\n", argv[i]);
      std::exit(1);
    }
  }
  if (flags.db.empty() || flags.key_size < 8 || flags.threads == 0) {
    std::fprintf(stderr,
                 "needs --db=PATH, at least one thread, and keys of at least 8 "
                 "bytes\n");
    std::exit(1);
  }
  return flags;
}
