#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "codecs.h"
#include "engines.h"
#include "rocksdb/utilities/options_type.h"
#include "shim/manager.h"
#include "uadk_compress_plugin.h"

namespace {

using rocksdb::CompressionManager;
using rocksdb::ConfigOptions;
using rocksdb::OptionTypeInfo;
using rocksdb::Status;
using uadk_compress::Engines;

// The name under which a manager knows its engines.
constexpr char kEngines[] = "UadkEngines";

// An option of a manager that its engines have. The default is not written to
// OPTIONS files, so that programs without the plugin can read them.
OptionTypeInfo EnginesOption(Engines::Option option) {
  return {0,
          rocksdb::OptionType::kString,
          rocksdb::OptionVerificationType::kNormal,
          rocksdb::OptionTypeFlags::kNone,
          [option](const ConfigOptions&, const std::string&,
                   const std::string& value, void* engines) {
            std::string error;
            return static_cast<Engines*>(engines)->Set(option, value, &error)
                       ? Status::OK()
                       : Status::InvalidArgument(error);
          },
          [option](const ConfigOptions&, const std::string&,
                   const void* engines, std::string* value) {
            *value = static_cast<const Engines*>(engines)->Get(option);
            return Status::OK();
          },
          [option](const ConfigOptions&, const std::string&, const void* first,
                   const void* second, std::string* /*mismatch*/) {
            return static_cast<const Engines*>(first)->Get(option) ==
                   static_cast<const Engines*>(second)->Get(option);
          }};
}

const std::unordered_map<std::string, OptionTypeInfo>& EnginesOptions() {
  static const std::unordered_map<std::string, OptionTypeInfo> options = {
      {Engines::Name(Engines::kOffload), EnginesOption(Engines::kOffload)},
      {Engines::Name(Engines::kVerify), EnginesOption(Engines::kVerify)}};
  return options;
}

// A class registers options in its constructors. The shim's managers know
// nothing of engines, so this adds their options from outside.
class Registrar : CompressionManager {
 public:
  using Map = std::unordered_map<std::string, OptionTypeInfo>;

  static void Add(CompressionManager* manager, Engines* engines) {
    using Function =
        void (Configurable::*)(const std::string&, void*, const Map*);
    const auto add = static_cast<Function>(&Registrar::RegisterOptions);
    (manager->*add)(kEngines, engines, &EnginesOptions());
  }
};

CompressionManager* NewManager(const std::string& /*name*/,
                               std::unique_ptr<CompressionManager>* guard,
                               std::string* message) {
  try {
    const auto engines = std::make_shared<Engines>();
    if (!engines->Check(message)) {
      return nullptr;
    }
    std::unique_ptr<CompressionManager> manager = uadk_compress::MakeManager(
        &uadk_compress::kCodecFunctions, uadk_compress::StockCodecs(engines),
        nullptr);
    // The manager's codecs keep the engines alive.
    Registrar::Add(manager.get(), engines.get());
    *guard = std::move(manager);
    return guard->get();
  } catch (...) {
    *message = "not enough memory";
    return nullptr;
  }
}

}  // namespace

extern "C" int uadk_compress_plugin_register(rocksdb::ObjectLibrary& library,
                                             const std::string& /*unused*/) {
  for (const char* name : {"UadkStock", "UadkZlib"}) {
    library.AddFactory<CompressionManager>(name, NewManager);
  }
  size_t types = 0;
  return static_cast<int>(library.GetFactoryCount(&types));
}

namespace uadk_compress {

std::string StatsText(const CompressionManager& manager) {
  const auto* engines = manager.GetOptions<Engines>(kEngines);
  return engines == nullptr ? "" : engines->StatsText();
}

}  // namespace uadk_compress
