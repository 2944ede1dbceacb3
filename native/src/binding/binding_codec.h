#pragma once

#include <napi.h>

// (type, bytes) -> Float32Array: tensor data of any type as floats.
Napi::Value decode_rows(const Napi::CallbackInfo & info);

// (type, floats, values per row) -> Uint8Array. Throws USAGE for types that need an importance matrix.
Napi::Value encode_rows(const Napi::CallbackInfo & info);
