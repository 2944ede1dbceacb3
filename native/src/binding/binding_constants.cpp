#include "binding_constants.h"

#include "binding.h"
#include "binding_items.h"
#include "gguf.h"

#include <algorithm>
#include <cctype>

struct named_number {
    const char * name;
    double       number;
};

static const named_number commands[] = {
    { "truncate", COMMAND_TRUNCATE },
    { "copy",     COMMAND_COPY     },
    { "drop",     COMMAND_DROP     },
};

static const named_number items[] = {
    { "append",   ITEM_APPEND   },
    { "score",    ITEM_SCORE    },
    { "generate", ITEM_GENERATE },
};

static const named_number finishes[] = {
    { "stop",   FINISH_STOP   },
    { "end",    FINISH_END    },
    { "length", FINISH_LENGTH },
};

static const named_number flash_attention[] = {
    { "auto", LLAMA_FLASH_ATTN_TYPE_AUTO     },
    { "off",  LLAMA_FLASH_ATTN_TYPE_DISABLED },
    { "on",   LLAMA_FLASH_ATTN_TYPE_ENABLED  },
};

static const named_number file_types[] = {
    { "F16",    LLAMA_FTYPE_MOSTLY_F16    },
    { "BF16",   LLAMA_FTYPE_MOSTLY_BF16   },
    { "Q8_0",   LLAMA_FTYPE_MOSTLY_Q8_0   },
    { "Q6_K",   LLAMA_FTYPE_MOSTLY_Q6_K   },
    { "Q5_K_M", LLAMA_FTYPE_MOSTLY_Q5_K_M },
    { "Q5_K_S", LLAMA_FTYPE_MOSTLY_Q5_K_S },
    { "Q4_K_M", LLAMA_FTYPE_MOSTLY_Q4_K_M },
    { "Q4_K_S", LLAMA_FTYPE_MOSTLY_Q4_K_S },
    { "Q4_0",   LLAMA_FTYPE_MOSTLY_Q4_0   },
    { "Q3_K_M", LLAMA_FTYPE_MOSTLY_Q3_K_M },
    { "Q2_K",   LLAMA_FTYPE_MOSTLY_Q2_K   },
};

static const named_number token_types[] = {
    { "normal",      LLAMA_TOKEN_TYPE_NORMAL       },
    { "unknown",     LLAMA_TOKEN_TYPE_UNKNOWN      },
    { "control",     LLAMA_TOKEN_TYPE_CONTROL      },
    { "userDefined", LLAMA_TOKEN_TYPE_USER_DEFINED },
    { "unused",      LLAMA_TOKEN_TYPE_UNUSED       },
    { "byte",        LLAMA_TOKEN_TYPE_BYTE         },
};

static const named_number value_types[] = {
    { "uint8",   GGUF_TYPE_UINT8   },
    { "int8",    GGUF_TYPE_INT8    },
    { "uint16",  GGUF_TYPE_UINT16  },
    { "int16",   GGUF_TYPE_INT16   },
    { "uint32",  GGUF_TYPE_UINT32  },
    { "int32",   GGUF_TYPE_INT32   },
    { "float32", GGUF_TYPE_FLOAT32 },
    { "bool",    GGUF_TYPE_BOOL    },
    { "string",  GGUF_TYPE_STRING  },
    { "array",   GGUF_TYPE_ARRAY   },
    { "uint64",  GGUF_TYPE_UINT64  },
    { "int64",   GGUF_TYPE_INT64   },
    { "float64", GGUF_TYPE_FLOAT64 },
};

template <size_t n> static Napi::Object to_js(Napi::Env env, const named_number (&numbers)[n]) {
    Napi::Object o = Napi::Object::New(env);
    for (const auto & [name, number] : numbers) {
        o.Set(name, number);
    }
    return o;
}

// By ggml's own names in capitals, e.g. Q4_K; without numbers that ggml no longer uses.
static Napi::Object tensor_types(Napi::Env env) {
    Napi::Object o = Napi::Object::New(env);
    for (int i = 0; i < GGML_TYPE_COUNT; i++) {
        const ggml_type_traits * traits = ggml_get_type_traits((ggml_type) i);
        if (traits->blck_size == 0) {
            continue;
        }
        std::string name = traits->type_name;
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return (char) std::toupper(c); });
        Napi::Object type = Napi::Object::New(env);
        type.Set("id", i);
        type.Set("blockSize", (double) traits->blck_size);
        type.Set("bytesPerBlock", (double) traits->type_size);
        o.Set(name, type);
    }
    return o;
}

static Napi::Array error_codes(Napi::Env env) {
    Napi::Array array = Napi::Array::New(env);
    for (int i = 0; i <= (int) error_code::INTERNAL; i++) {
        array.Set((uint32_t) i, to_string((error_code) i));
    }
    return array;
}

Napi::Value constants(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    Napi::Object    o   = Napi::Object::New(env);
    o.Set("maxOutputBytes", (double) max_output_bytes);
    o.Set("maxSequences", (double) llama_max_parallel_sequences());
    o.Set("maxTensorNameBytes", GGML_MAX_NAME - 1);
    o.Set("maxTensorDims", GGML_MAX_DIMS);
    o.Set("tensorAlignment", GGUF_DEFAULT_ALIGNMENT);
    o.Set("commands", to_js(env, commands));
    o.Set("items", to_js(env, items));
    o.Set("finishes", to_js(env, finishes));
    o.Set("flashAttention", to_js(env, flash_attention));
    o.Set("fileTypes", to_js(env, file_types));
    o.Set("tensorTypes", tensor_types(env));
    o.Set("tokenTypes", to_js(env, token_types));
    o.Set("valueTypes", to_js(env, value_types));
    o.Set("errorCodes", error_codes(env));
    return o;
}
