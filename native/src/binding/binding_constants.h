#pragma once

#include <napi.h>

// NativeConstants of src/runtime/addon.ts: the numbers that TypeScript must have too, as they were compiled.
Napi::Value constants(const Napi::CallbackInfo & info);
