// Compressors of the C library.

#pragma once

#include <uadk_compress.h>

#include <memory>
#include <string>

namespace uadk_compress {

using CompressorHandle = std::shared_ptr<const uadk_compressor>;

// Returns the compressor for `options`, those of uadk_compressor_new. The
// same options yield the same one, so that all column families share its
// accelerator and its counters. Returns null and sets `error` if
// there is none.
CompressorHandle SharedCompressor(const std::string& options,
                                  std::string* error);

// Returns the same compressor with other settings, and with a dictionary if
// `dictionary` is not null. Returns null if they don't apply to its format.
CompressorHandle Reconfigured(const uadk_compressor* compressor,
                              const std::string& settings,
                              const char* dictionary, size_t dictionary_len);

}  // namespace uadk_compress
