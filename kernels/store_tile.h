// How all linear layers end: what is done to the sums of a tile on their way to the output.
#pragma once

#include "arguments.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

// g / (1 + exp(-g)).
WENDING_INLINE Vector silu(Vector g) { return g / (broadcast(1.0f) + exponential(zero() - g)); }

// Asks for what store_tile will go to: by then it has often left the nearest caches.
template <int ROWS>
WENDING_INLINE void prefetch_outputs(const LinearArguments& a, int64_t row, int64_t panel) {
    const float* out = a.out + row * a.outputs + (a.gated ? panel / 2 : panel) * PANEL_OUTPUTS;
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r, out += a.outputs) {
        __builtin_prefetch(out, 1);
        __builtin_prefetch(out + LANES, 1);
    }
}

// Stores the sums of a tile, or those of them that exist, with bias and residual added: `halves` half panels from `half` of
// `panel` on, which stand side by side for each row. Gates are put where their outputs come to stand later: out = silu(gate) *
// output (SwiGLU, Shazeer 2020). Not inlined: written out for all sums of a tile it would be a thousand instructions.
static __attribute__((noinline)) void store_tile(const LinearArguments& a, int64_t row, int rows, int64_t panel, int half,
                                                 int halves, const float* sums) {
    for (int h = half; h < half + halves; ++h, sums += LANES) {
        const int64_t at = panel + h / 2, output = (a.gated ? at / 2 : at) * PANEL_OUTPUTS + h % 2 * LANES;
        const int64_t count = a.outputs - output < LANES ? a.outputs - output : LANES;
        if (count <= 0) continue;
        float bias[LANES] = {}, lane[LANES] = {};
        if (a.bias) memcpy(bias, a.bias + output, size_t(count) * sizeof(float));
        for (int r = 0; r < rows; ++r) {
            const int64_t first = (row + r) * a.outputs + output;
            const auto load_existing = [&](const float* p) __attribute__((always_inline)) {
                if (count == LANES) return load(p);
                memcpy(lane, p, size_t(count) * sizeof(float));
                return load(lane);
            };
            Vector sum = load(sums + r * halves * LANES);
            if (a.bias) sum = sum + load(bias);
            if (a.residual) sum = sum + load_existing(a.residual + first);
            if (a.gated && at % 2) sum = silu(load_existing(a.out + first)) * sum;
            if (count == LANES) {
                store(a.out + first, sum);
            } else {
                store(lane, sum);
                memcpy(a.out + first, lane, size_t(count) * sizeof(float));
            }
        }
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
