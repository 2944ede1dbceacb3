#pragma once

#include "binding.h"
#include "train/trainer.h"

// NativeTrainer of src/runtime/addon.ts.
class trainer_binding : public Napi::ObjectWrap<trainer_binding> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit trainer_binding(const Napi::CallbackInfo & info);

  private:
    Napi::Value load(const Napi::CallbackInfo & info);
    Napi::Value facts(const Napi::CallbackInfo & info);
    Napi::Value evaluate(const Napi::CallbackInfo & info);
    Napi::Value accumulate(const Napi::CallbackInfo & info);
    Napi::Value step(const Napi::CallbackInfo & info);
    Napi::Value clear_gradients(const Napi::CallbackInfo & info);
    Napi::Value read(const Napi::CallbackInfo & info);
    Napi::Value write(const Napi::CallbackInfo & info);
    Napi::Value interrupt(const Napi::CallbackInfo & info);
    Napi::Value dispose(const Napi::CallbackInfo & info);

    // Throws DISPOSED.
    std::shared_ptr<trainer> get(Napi::Env env) const;
    Napi::Value              run(const Napi::CallbackInfo & info, std::unique_ptr<train_objective> objective);

    trainer_params           params;
    Napi::FunctionReference  on_progress;
    std::shared_ptr<trainer> made;
    worker                   thread;  // the last member: stops before the others go
};

// (NativeTrainerParams, tokens, rows) -> NativeTrainingCost
Napi::Value on_plan_training(const Napi::CallbackInfo & info);

// NativeTrainerParams -> floating-point operations a second
Napi::Value on_measure_speed(const Napi::CallbackInfo & info);
