#include "gguf.h"
#include "model.h"
#include "support/backends.h"
#include "support/failure.h"
#include "support/heap.h"
#include "support/log_sink.h"

#include <memory>

// Multiply-adds between two looks at the interrupt flag. Each look is a wait for the device: about 30 ms of work on one
// CPU core, and as long on a GPU that is a hundred times faster.
static constexpr double cpu_work_per_checkpoint = 5e8;
static constexpr double gpu_work_per_checkpoint = 5e10;

bool vlm_model::vision_checkpoint(const ggml_tensor * tensor, bool ask) {
    if (!ask) {
        return !*interrupted;
    }
    const double depth = tensor->op == GGML_OP_MUL_MAT ? (double) tensor->src[0]->ne[0] : 4.0;
    work_since_checkpoint += depth * (double) ggml_nelements(tensor);
    if (work_since_checkpoint < (load_params.projector_on_gpu ? gpu_work_per_checkpoint : cpu_work_per_checkpoint)) {
        return false;
    }
    work_since_checkpoint = 0;
    return true;
}

void vlm_model::load_vision(const std::function<bool(float)> & progress) {
    mtmd_context_params params = mtmd_context_params_default();
    if (load_params.projector_on_gpu) {
        params.device = devices_by_name(load_params.devices).at(0);
    }
    params.use_gpu          = load_params.projector_on_gpu;
    params.print_timings    = false;
    params.n_threads        = load_params.n_threads;
    params.flash_attn_type  = load_params.vision_flash_attn;
    params.warmup           = false;
    params.image_min_tokens = load_params.image_min_tokens;
    params.image_max_tokens = load_params.image_max_tokens;
    params.cb_eval          = [](ggml_tensor * tensor, bool ask, void * self) {
        return static_cast<vlm_model *>(self)->vision_checkpoint(tensor, ask);
    };
    params.cb_eval_user_data = this;
    params.progress_callback = [](float fraction, void * user_data) {
        return (*static_cast<const std::function<bool(float)> *>(user_data))(fraction);
    };
    params.progress_callback_user_data = const_cast<std::function<bool(float)> *>(&progress);

    log_scope scope;
    vision.reset(mtmd_init_from_file(load_params.mmproj_path.c_str(), model.get(), params));
    if (!vision) {
        throw failure(error_code::MODEL_LOAD, "cannot load vision file " + load_params.mmproj_path + " for model " +
                                                  load_params.path + ": " + scope.reason("libmtmd refused it"));
    }
    if (!mtmd_support_vision(vision.get()) || !mtmd_decode_use_mrope(vision.get()) ||
        mtmd_decode_use_non_causal(vision.get(), nullptr)) {
        throw failure(error_code::MODEL_UNSUPPORTED,
                      load_params.mmproj_path + " is not the vision file of a Qwen-VL model");
    }
    vision_loaded = true;
}

static uint32_t u32_or(const gguf_context * file, const char * key, uint32_t otherwise) {
    const int64_t id = gguf_find_key(file, key);
    return id >= 0 && gguf_get_kv_type(file, id) == GGUF_TYPE_UINT32 ? gguf_get_val_u32(file, id) : otherwise;
}

// The cell of an image, and the weights' memory: libmtmd takes its work space with the first image, and for its size.
void vlm_model::read_vision_header() {
    gguf_init_params                                          header = { /*no_alloc*/ true, /*ctx*/ nullptr };
    const std::unique_ptr<gguf_context, decltype(&gguf_free)> file(
        gguf_init_from_file(load_params.mmproj_path.c_str(), header), gguf_free);
    if (!file) {
        throw failure(error_code::MODEL_LOAD, "cannot read the header of vision file " + load_params.mmproj_path);
    }
    // clip.cpp merges 2 x 2 patches of a Qwen-VL where the file says nothing else.
    token_px =
        u32_or(file.get(), "clip.vision.patch_size", 0) * u32_or(file.get(), "clip.vision.spatial_merge_size", 2);
    if (token_px == 0) {
        throw failure(error_code::MODEL_UNSUPPORTED, load_params.mmproj_path + " has patches of no size");
    }
    for (int64_t i = 0; i < gguf_get_n_tensors(file.get()); i++) {
        vision_memory.model += gguf_get_tensor_size(file.get(), i);
    }
    vision_memory.device = load_params.projector_on_gpu ? load_params.devices.at(0) : "CPU";
}

void vlm_model::release_encoder() {
    vision.reset();
    vision_loaded = false;
}

std::shared_ptr<const image_embedding> vlm_model::encode_image(const std::vector<uint8_t> & rgb,
                                                               uint32_t                     width,
                                                               uint32_t                     height) {
    const std::string      size = std::to_string(width) + " x " + std::to_string(height);
    mtmd::bitmap           bitmap(width, height, rgb.data());
    const mtmd_bitmap *    bitmaps[] = { bitmap.ptr.get() };
    mtmd::input_chunks_ptr chunks(mtmd_input_chunks_init());
    const std::string      marker = mtmd_default_marker();
    const mtmd_input_text  text   = { marker.c_str(), marker.size(), false, true };

    if (!vision) {
        load_vision([this](float) { return !*interrupted; });
    }

    log_scope scope;
    if (mtmd_tokenize(vision.get(), chunks.get(), &text, bitmaps, 1) != 0) {
        throw failure(error_code::DECODE,
                      "cannot prepare image of " + size + ": " + scope.reason("libmtmd refused it"));
    }
    const mtmd_input_chunk * chunk = nullptr;
    for (size_t i = 0; i < mtmd_input_chunks_size(chunks.get()); i++) {
        const mtmd_input_chunk * candidate = mtmd_input_chunks_get(chunks.get(), i);
        if (mtmd_input_chunk_get_type(candidate) == MTMD_INPUT_CHUNK_TYPE_IMAGE) {
            chunk = candidate;
        }
    }
    const size_t n_expected = (size_t) (width / token_px) * (height / token_px);
    if (!chunk || mtmd_input_chunk_get_n_tokens(chunk) != n_expected) {
        throw failure(error_code::DECODE,
                      "image of " + size + " was resized: it should take " + std::to_string(n_expected) + " tokens" +
                          (chunk ? ", not " + std::to_string(mtmd_input_chunk_get_n_tokens(chunk)) : ""));
    }
    work_since_checkpoint = 0;
    const int32_t rc      = mtmd_encode_chunk(vision.get(), chunk);
    if (*interrupted) {
        // A cancelled graph still returns 0.
        throw failure(error_code::DECODE, "encoding was interrupted");
    }
    if (rc != 0) {
        throw failure(error_code::DECODE,
                      "cannot encode image of " + size + ": " + scope.reason("libmtmd returned " + std::to_string(rc)));
    }

    auto          result = std::make_shared<image_embedding>();
    const float * output = mtmd_get_output_embd(vision.get());
    const size_t  n_embd = (size_t) llama_model_n_embd_inp(model.get());
    result->n_tokens     = (int32_t) n_expected;
    result->n_pos        = mtmd_input_chunk_get_n_pos(chunk);
    result->data.assign(output, output + n_expected * n_embd);
    result->chunk.reset(mtmd_input_chunk_get_placeholder(chunk));
    heap_trim();  // once an image, after the largest allocations of a photo
    return result;
}
