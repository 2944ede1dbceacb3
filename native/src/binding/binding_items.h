#pragma once

#include "context/batch_item.h"
#include "context/generate_item.h"

#include <napi.h>

#include <memory>

// The second entry of a NativeItem.
enum item_kind : int32_t { ITEM_APPEND = 0, ITEM_SCORE = 1, ITEM_GENERATE = 2 };

// A NativeItem of src/runtime/addon.ts: [id, kind, sequence, ...].
uint32_t item_id(const Napi::Array & item);

// `on_token` is for an item that generates and streams.
std::unique_ptr<batch_item> to_item(const Napi::Array & item, generate_item::token_listener on_token);

// NativeAppendResult, NativeScoreResult or NativeGenerateResult.
Napi::Value to_js(Napi::Env env, const item_result & result);
