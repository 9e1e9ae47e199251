// RocksDB's own types as codecs of the shim, over the C library.

#pragma once

#include <memory>

#include "engines.h"
#include "shim/codec.h"

namespace uadk_compress {

// The functions of the codecs that `StockCodecs` makes. It has no `find`, which
// the manager does not call.
extern const CodecFunctions kCodecFunctions;

// Returns the setup of a manager for all types of `engines` in RocksDB's own
// schema. Its owner owns the codecs; each keeps `engines` alive.
Setup StockCodecs(const std::shared_ptr<Engines>& engines);

}  // namespace uadk_compress
