// RMSNorm (Zhang & Sennrich 2019): x / sqrt(mean(x^2) + epsilon) * weight, row by row.
#pragma once

#include "arguments.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

static void rms_norm(const RmsNormArguments& a, int64_t begin, int64_t end) {
    const int64_t whole = a.size / LANES * LANES;
    for (int64_t row = begin; row < end; ++row) {
        const float* x = a.x + row * a.size;
        float* out = a.out + row * a.size;
        Vector squares[2] = {zero(), zero()};
        for (int64_t i = 0; i < whole; i += LANES) {
            const Vector v = load(x + i);
            squares[i / LANES % 2] = fmadd(v, v, squares[i / LANES % 2]);
        }
        float sum = sum_of_lanes(squares[0] + squares[1]);
        for (int64_t i = whole; i < a.size; ++i) sum += x[i] * x[i];
        const float scale = 1.0f / __builtin_sqrtf(sum / float(a.size) + a.epsilon);
        for (int64_t i = 0; i < whole; i += LANES)
            store(out + i, load(x + i) * broadcast(scale) * load(a.weight + i));
        for (int64_t i = whole; i < a.size; ++i) out[i] = x[i] * scale * a.weight[i];
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
