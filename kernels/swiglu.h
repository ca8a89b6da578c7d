// SwiGLU (Shazeer 2020): silu(gate) * up with silu(g) = g / (1 + exp(-g)).
#pragma once

#include "arguments.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

WENDING_INLINE Vector gated(Vector gate, Vector up) {
    return gate / (broadcast(1.0f) + exponential(zero() - gate)) * up;
}

static void swiglu(const SwigluArguments& a, int64_t begin, int64_t end) {
    const int64_t whole = a.size / LANES * LANES;
    for (int64_t row = begin; row < end; ++row) {
        const float* gate = a.gate_up + row * 2 * a.size;
        const float* up = gate + a.size;
        float* out = a.out + row * a.size;
        for (int64_t i = 0; i < whole; i += LANES) store(out + i, gated(load(gate + i), load(up + i)));
        if (whole < a.size) {
            float last[3][LANES] = {};
            const size_t bytes = size_t(a.size - whole) * sizeof(float);
            memcpy(last[0], gate + whole, bytes);
            memcpy(last[1], up + whole, bytes);
            store(last[2], gated(load(last[0]), load(last[1])));
            memcpy(out + whole, last[2], bytes);
        }
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
