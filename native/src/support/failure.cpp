#include "failure.h"

const char * to_string(error_code code) {
    switch (code) {
        case error_code::CONTEXT_FULL:
            return "CONTEXT_FULL";
        case error_code::DECODE:
            return "DECODE";
        case error_code::DISPOSED:
            return "DISPOSED";
        case error_code::GRAMMAR:
            return "GRAMMAR";
        case error_code::MODEL_LOAD:
            return "MODEL_LOAD";
        case error_code::MODEL_UNSUPPORTED:
            return "MODEL_UNSUPPORTED";
        case error_code::USAGE:
            return "USAGE";
        case error_code::INTERNAL:
            break;
    }
    return "INTERNAL";
}
