// What a benchmark counts, printed in db_bench's columns.

#pragma once

#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>

using Clock = std::chrono::steady_clock;

// The work of one thread, or of several together.
struct Stats {
  uint64_t operations = 0;
  uint64_t bytes = 0;
  uint64_t found = 0;
  double seconds = 0;  // summed over threads

  void Add(const Stats& other) {
    operations += other.operations;
    bytes += other.bytes;
    found += other.found;
    seconds += other.seconds;
  }
};

inline double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Prints a line. `elapsed` is the time from the first thread's start to the
// last one's end.
inline void Report(const char* name, const Stats& stats, double elapsed,
                   const std::string& message) {
  const double operations =
      stats.operations == 0 ? 1 : static_cast<double>(stats.operations);
  char rate[32] = "";
  if (stats.bytes > 0) {
    std::snprintf(rate, sizeof rate, " %6.1f MB/s",
                  static_cast<double>(stats.bytes) / 1048576.0 / elapsed);
  }
  std::printf(
      "%-12s : %11.3f micros/op %ld ops/sec %.3f seconds %" PRIu64
      " operations;%s%s%s\n",
      name, stats.seconds * 1e6 / operations,
      static_cast<long>(operations / elapsed), elapsed, stats.operations, rate,
      message.empty() ? "" : " ", message.c_str());
  std::fflush(stdout);
}
