#include "binding_trainer.h"

#include "support/failure.h"

static trainer_params to_trainer_params(const Napi::Object & o) {
    trainer_params p;
    p.path       = o.Get("path").ToString();
    p.device     = o.Get("device").ToString();
    p.n_threads  = o.Get("threads").ToNumber();
    p.recompute  = o.Get("recompute").ToBoolean();
    p.lora       = {};
    p.lora.rank  = o.Get("rank").ToNumber();
    p.lora.scale = o.Get("scale").ToNumber();

    const Napi::Array targets = o.Get("targets").As<Napi::Array>();
    for (uint32_t i = 0; i < targets.Length(); i++) {
        const std::string name = targets.Get(i).ToString();
        for (int id = 0; id < MATRIX_COUNT; id++) {
            p.lora.targets[id] |= name == matrix_name((matrix_id) id);
        }
    }
    return p;
}

static std::vector<float> to_floats(const Napi::Value & value) {
    const Napi::Float32Array array = value.As<Napi::Float32Array>();
    return { array.Data(), array.Data() + array.ElementLength() };
}

static Napi::Float32Array to_js(Napi::Env env, const std::vector<float> & values) {
    Napi::Float32Array array = Napi::Float32Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
}

static train_sample to_sample(const Napi::Object & o) {
    train_sample s;
    s.tokens     = to_int32s(o.Get("tokens"));
    s.image_rows = to_floats(o.Get("imageRows"));
    s.positions  = to_int32s(o.Get("positions"));
    s.branches   = to_int32s(o.Get("branches"));
    s.rows       = to_int32s(o.Get("rows"));
    s.targets    = to_int32s(o.Get("targets"));
    s.signs      = to_floats(o.Get("signs"));
    return s;
}

trainer_binding::trainer_binding(const Napi::CallbackInfo & info) :
    Napi::ObjectWrap<trainer_binding>(info),
    params(to_trainer_params(info[0].As<Napi::Object>())),
    on_progress(Napi::Persistent(info[1].As<Napi::Function>())),
    thread(info.Env(), "framewright trainer") {}

Napi::Function trainer_binding::define(Napi::Env env) {
    return DefineClass(
        env, "Trainer",
        { InstanceMethod("load", &trainer_binding::load), InstanceMethod("facts", &trainer_binding::facts),
          InstanceMethod("evaluate", &trainer_binding::evaluate),
          InstanceMethod("accumulate", &trainer_binding::accumulate), InstanceMethod("step", &trainer_binding::step),
          InstanceMethod("clearGradients", &trainer_binding::clear_gradients),
          InstanceMethod("read", &trainer_binding::read), InstanceMethod("write", &trainer_binding::write),
          InstanceMethod("interrupt", &trainer_binding::interrupt),
          InstanceMethod("dispose", &trainer_binding::dispose) });
}

std::shared_ptr<trainer> trainer_binding::get(Napi::Env env) const {
    if (!made) {
        throw make_error(env, error_code::DISPOSED, "the trainer was disposed");
    }
    return made;
}

Napi::Value trainer_binding::load(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task([this] {
                             made =
                                 std::make_shared<trainer>(params, thread.interrupt_address(), [this](float fraction) {
                                     thread.post(std::make_unique<progress_message>(on_progress, fraction));
                                 });
                         }));
}

Napi::Value trainer_binding::facts(const Napi::CallbackInfo & info) {
    const Napi::Env       env   = info.Env();
    const auto            t     = get(env);
    const decoder_shape & shape = t->decoder();
    Napi::Array           pairs = Napi::Array::New(env);
    for (int64_t layer = 0; layer < shape.n_layer; layer++) {
        for (int id = 0; id < MATRIX_COUNT; id++) {
            if (!params.lora.targets[id]) {
                continue;
            }
            const auto   ne   = matrix_shape(shape, (matrix_id) id);
            Napi::Object pair = Napi::Object::New(env);
            pair.Set("name", "blk." + std::to_string(layer) + "." + matrix_name((matrix_id) id) + ".weight");
            pair.Set("nIn", (double) ne[0]);
            pair.Set("nOut", (double) ne[1]);
            pairs.Set(pairs.Length(), pair);
        }
    }
    Napi::Object o = Napi::Object::New(env);
    o.Set("pairs", pairs);
    o.Set("nParameters", (double) t->n_parameters());
    o.Set("nEmbd", (double) shape.n_embd);
    o.Set("nVocab", (double) shape.n_vocab);
    o.Set("computeBytes", (double) t->compute_bytes());
    return o;
}

Napi::Value trainer_binding::run(const Napi::CallbackInfo & info, std::unique_ptr<train_objective> given) {
    struct call {
        train_sample                     sample;
        std::unique_ptr<train_objective> objective;
        pass_result                      result;
    };

    auto c       = std::make_shared<call>();
    c->sample    = to_sample(info[0].As<Napi::Object>());
    c->objective = std::move(given);
    return thread.submit(
        info.Env(),
        make_task([t = get(info.Env()),
                   c] { c->result = c->objective ? t->accumulate(c->sample, *c->objective) : t->evaluate(c->sample); },
                  [c](Napi::Env env) {
                      Napi::Uint8Array hits = Napi::Uint8Array::New(env, c->result.hits.size());
                      std::copy(c->result.hits.begin(), c->result.hits.end(), hits.Data());
                      Napi::Object o = Napi::Object::New(env);
                      o.Set("logProbs", to_js(env, c->result.log_probs));
                      o.Set("hits", hits);
                      return o;
                  }));
}

Napi::Value trainer_binding::evaluate(const Napi::CallbackInfo & info) {
    return run(info, nullptr);
}

Napi::Value trainer_binding::accumulate(const Napi::CallbackInfo & info) {
    const Napi::Object o         = info[1].As<Napi::Object>();
    auto               objective = std::make_unique<train_objective>();
    objective->weight            = o.Get("weight").ToNumber();
    objective->beta              = o.Get("beta").ToNumber();
    objective->reference         = o.Get("reference").ToNumber();
    return run(info, std::move(objective));
}

Napi::Value trainer_binding::step(const Napi::CallbackInfo & info) {
    const Napi::Object o = info[0].As<Napi::Object>();
    adamw_params       p;
    p.learning_rate = o.Get("learningRate").ToNumber();
    p.beta1         = o.Get("beta1").ToNumber();
    p.beta2         = o.Get("beta2").ToNumber();
    p.epsilon       = o.Get("epsilon").ToNumber();
    p.weight_decay  = o.Get("weightDecay").ToNumber();
    p.clip_norm     = o.Get("clipNorm").ToNumber();
    auto length     = std::make_shared<double>();
    return thread.submit(info.Env(), make_task([t = get(info.Env()), p, length] { *length = t->step(p); },
                                               [length](Napi::Env env) { return Napi::Number::New(env, *length); }));
}

Napi::Value trainer_binding::clear_gradients(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task([t = get(info.Env())] { t->clear_gradients(); }));
}

Napi::Value trainer_binding::read(const Napi::CallbackInfo & info) {
    struct copy {
        std::vector<float> parameters, gradients, first, second;
        int64_t            n_steps;
    };

    auto c = std::make_shared<copy>();
    return thread.submit(info.Env(), make_task(
                                         [t = get(info.Env()), c] {
                                             const adamw & optimizer = t->optimizer();
                                             *c = { t->parameters(), t->gradients(), optimizer.first, optimizer.second,
                                                    optimizer.n_steps };
                                         },
                                         [c](Napi::Env env) {
                                             Napi::Object o = Napi::Object::New(env);
                                             o.Set("parameters", to_js(env, c->parameters));
                                             o.Set("gradients", to_js(env, c->gradients));
                                             o.Set("first", to_js(env, c->first));
                                             o.Set("second", to_js(env, c->second));
                                             o.Set("nSteps", (double) c->n_steps);
                                             return o;
                                         }));
}

Napi::Value trainer_binding::write(const Napi::CallbackInfo & info) {
    const Napi::Object o          = info[0].As<Napi::Object>();
    auto               parameters = std::make_shared<std::vector<float>>(to_floats(o.Get("parameters")));
    auto               optimizer  = std::make_shared<adamw>(0);
    if (o.Has("first")) {
        optimizer->first   = to_floats(o.Get("first"));
        optimizer->second  = to_floats(o.Get("second"));
        optimizer->n_steps = o.Get("nSteps").ToNumber().Int64Value();
    }
    return thread.submit(
        info.Env(), make_task([t = get(info.Env()), parameters, optimizer] {
            t->set_parameters(*parameters);
            if (optimizer->first.size() == t->n_parameters() && optimizer->second.size() == t->n_parameters()) {
                t->optimizer() = std::move(*optimizer);
            }
        }));
}

Napi::Value trainer_binding::interrupt(const Napi::CallbackInfo & info) {
    thread.interrupt();
    return info.Env().Undefined();
}

Napi::Value trainer_binding::dispose(const Napi::CallbackInfo & info) {
    return thread.submit(info.Env(), make_task([this] { made.reset(); },
                                               [this](Napi::Env env) {
                                                   thread.stop();
                                                   return env.Undefined();
                                               }));
}

Napi::Value on_plan_training(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    training_cost   cost;
    try {
        cost = plan_training(to_trainer_params(info[0].As<Napi::Object>()), info[1].ToNumber().Int64Value(),
                             info[2].ToNumber().Int64Value());
    } catch (const failure & e) {
        throw make_error(env, e.code, e.what());
    }
    Napi::Object o = Napi::Object::New(env);
    o.Set("baseBytes", (double) cost.base_bytes);
    o.Set("transposedBytes", (double) cost.transposed_bytes);
    o.Set("adapterBytes", (double) cost.adapter_bytes);
    o.Set("optimizerBytes", (double) cost.optimizer_bytes);
    o.Set("computeBytes", (double) cost.compute_bytes);
    o.Set("hostBytes", (double) cost.host_bytes);
    o.Set("nParameters", (double) cost.n_parameters);
    o.Set("flops", cost.flops);
    o.Set("unsupported", cost.unsupported);
    return o;
}

Napi::Value on_measure_speed(const Napi::CallbackInfo & info) {
    try {
        return Napi::Number::New(info.Env(), measure_speed(to_trainer_params(info[0].As<Napi::Object>())));
    } catch (const failure & e) {
        throw make_error(info.Env(), e.code, e.what());
    }
}
