// Checks for the test programs: a failed one names its place and ends the
// program.

#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) {                                                      \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
      std::exit(1);                                                          \
    }                                                                        \
  } while (false)

#define CHECK_OK(status)                                                     \
  do {                                                                       \
    const auto& checked = (status);                                          \
    if (!checked.ok()) {                                                     \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,                \
                   checked.ToString().c_str());                              \
      std::exit(1);                                                          \
    }                                                                        \
  } while (false)

inline bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
