#include "binding_codec.h"

#include "ggml.h"
#include "worker.h"

#include <algorithm>
#include <cmath>

// Both are quick beside the disk: they run on the JS thread, a few MiB at a time.

static ggml_type checked_type(const Napi::CallbackInfo & info) {
    const int32_t type = info[0].ToNumber();
    if (type < 0 || type >= GGML_TYPE_COUNT || ggml_blck_size((ggml_type) type) == 0) {
        throw make_error(info.Env(), error_code::USAGE, "no tensor type has the number " + std::to_string(type));
    }
    return (ggml_type) type;
}

Napi::Value decode_rows(const Napi::CallbackInfo & info) {
    const ggml_type          type   = checked_type(info);
    const Napi::Uint8Array   bytes  = info[1].As<Napi::Uint8Array>();
    const ggml_type_traits * traits = ggml_get_type_traits(type);
    if (!traits->to_float || bytes.ByteLength() % traits->type_size != 0) {
        throw make_error(info.Env(), error_code::USAGE,
                         std::string("these bytes are no whole blocks of ") + traits->type_name);
    }
    const size_t       n      = bytes.ByteLength() / traits->type_size * (size_t) traits->blck_size;
    Napi::Float32Array values = Napi::Float32Array::New(info.Env(), n);
    traits->to_float(bytes.Data(), values.Data(), (int64_t) n);
    return values;
}

// What ggml_quantize_chunk takes: it aborts on any other type.
static bool is_encodable(ggml_type type) {
    if (ggml_is_quantized(type)) {
        return ggml_get_type_traits(type)->to_float && !ggml_quantize_requires_imatrix(type);
    }
    return type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16;
}

Napi::Value encode_rows(const Napi::CallbackInfo & info) {
    const ggml_type          type      = checked_type(info);
    const Napi::Float32Array values    = info[1].As<Napi::Float32Array>();
    const int64_t            n_per_row = info[2].ToNumber();
    const int64_t            n         = (int64_t) values.ElementLength();
    if (n_per_row <= 0 || n % n_per_row != 0 || n_per_row % ggml_blck_size(type) != 0 || !is_encodable(type)) {
        throw make_error(
            info.Env(), error_code::USAGE,
            std::string("rows of ") + std::to_string(n_per_row) + " cannot be made " + ggml_type_name(type));
    }
    // The quantisers of the IQ types search a grid, and abort where a NaN leads them outside.
    if (ggml_is_quantized(type) &&
        !std::all_of(values.Data(), values.Data() + n, [](float value) { return std::isfinite(value); })) {
        throw make_error(info.Env(), error_code::USAGE,
                         std::string("NaN and infinity cannot be made ") + ggml_type_name(type));
    }
    ggml_quantize_init(type);
    Napi::Uint8Array bytes =
        Napi::Uint8Array::New(info.Env(), ggml_row_size(type, n_per_row) * (size_t) (n / n_per_row));
    ggml_quantize_chunk(type, values.Data(), bytes.Data(), 0, n / n_per_row, n_per_row, nullptr);
    return bytes;
}
