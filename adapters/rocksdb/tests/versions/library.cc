// What the shim and RocksDB's headers need to link without RocksDB. Only
// RegisterOptions is called.

#include <cstdlib>

#include "rocksdb/customizable.h"
#include "rocksdb/status.h"

namespace rocksdb {

using Map = std::unordered_map<std::string, std::string>;

void Configurable::RegisterOptions(
    const std::string&, void*,
    const std::unordered_map<std::string, OptionTypeInfo>*) {}

bool Configurable::AreEquivalent(const ConfigOptions&, const Configurable*,
                                 std::string*) const {
  std::abort();
}
Status Configurable::ConfigureOptions(const ConfigOptions&, const Map&, Map*) {
  std::abort();
}
Status Configurable::GetOption(const ConfigOptions&, const std::string&,
                               std::string*) const {
  std::abort();
}
std::string Configurable::GetOptionName(const std::string&) const {
  std::abort();
}
const void* Configurable::GetOptionsPtr(const std::string&) const {
  std::abort();
}
bool Configurable::OptionsAreEqual(const ConfigOptions&, const OptionTypeInfo&,
                                   const std::string&, const void* const,
                                   const void* const, std::string*) const {
  std::abort();
}
Status Configurable::ParseOption(const ConfigOptions&, const OptionTypeInfo&,
                                 const std::string&, const std::string&,
                                 void*) {
  std::abort();
}
Status Configurable::ParseStringOptions(const ConfigOptions&,
                                        const std::string&) {
  std::abort();
}
Status Configurable::PrepareOptions(const ConfigOptions&) { std::abort(); }
std::string Configurable::SerializeOptions(const ConfigOptions&,
                                           const std::string&) const {
  std::abort();
}
Status Configurable::ValidateOptions(const DBOptions&,
                                     const ColumnFamilyOptions&) const {
  std::abort();
}

bool Customizable::AreEquivalent(const ConfigOptions&, const Configurable*,
                                 std::string*) const {
  std::abort();
}
Status Customizable::GetOption(const ConfigOptions&, const std::string&,
                               std::string*) const {
  std::abort();
}
std::string Customizable::GetOptionName(const std::string&) const {
  std::abort();
}
std::string Customizable::SerializeOptions(const ConfigOptions&,
                                           const std::string&) const {
  std::abort();
}

Status::Status(Code, SubCode, const Slice&, const Slice&, Severity) {
  std::abort();
}
std::unique_ptr<const char[]> Status::CopyState(const char*) { std::abort(); }

}  // namespace rocksdb
