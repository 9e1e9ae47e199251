#include "compressor.h"

#include <mutex>
#include <unordered_map>

namespace uadk_compress {
namespace {

CompressorHandle Own(uadk_compressor* compressor) {
  return {compressor, [](const uadk_compressor* unused) {
            uadk_compressor_free(const_cast<uadk_compressor*>(unused));
          }};
}

}  // namespace

CompressorHandle SharedCompressor(const std::string& options,
                                  std::string* error) {
  // Never destroyed: databases may still be open when the process exits.
  static auto& mutex = *new std::mutex;
  static auto& known =
      *new std::unordered_map<std::string, std::weak_ptr<const uadk_compressor>>;

  const std::lock_guard<std::mutex> lock(mutex);
  auto& entry = known[options];
  if (CompressorHandle compressor = entry.lock()) {
    return compressor;
  }
  uadk_compressor* created = nullptr;
  if (uadk_compressor_new(options.c_str(), &created) != UADK_STATUS_OK) {
    *error = uadk_compress_last_error();
    known.erase(options);
    return nullptr;
  }
  CompressorHandle compressor = Own(created);
  entry = compressor;
  return compressor;
}

CompressorHandle Reconfigured(const uadk_compressor* compressor,
                              const std::string& settings,
                              const char* dictionary, size_t dictionary_len) {
  uadk_compressor* created = nullptr;
  if (uadk_compressor_reconfigure(compressor, settings.c_str(), dictionary,
                                  dictionary_len,
                                  &created) != UADK_STATUS_OK) {
    return nullptr;
  }
  return Own(created);
}

}  // namespace uadk_compress
