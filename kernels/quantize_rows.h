// Activations to bytes: each group of channels of a row gets its own scale, the largest magnitude / 127.
#pragma once

#include "arguments.h"
#include "integer_vector.h"

namespace wending {
namespace WENDING_ISA {

// Below it, 127 over a magnitude would be infinite.
constexpr float SMALLEST_MAGNITUDE = 1e-36f;

// A group of ROWS rows that begin at x[0], x[1], ...; their scales, starts and sums are neighbours. What is not finite makes
// its row's scale NaN.
template <int ROWS>
WENDING_INLINE void quantize_group(const float* const (&x)[ROWS], int group, int beyond, int8_t* codes, float* scales,
                                   int32_t* starts, float* negative_sums) {
    Vector inverse[ROWS], sums[ROWS];
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r) {
        Vector largest = zero(), probe = zero();
        for (int k = 0; k < group; k += LANES) {
            const Vector value = load(x[r] + k);
            largest = greater(magnitude(value), largest);
            probe = fmadd(value, zero(), probe);  // becomes NaN where a value is not finite
        }
        const float most = greatest_lane(largest);
        inverse[r] = broadcast(most > SMALLEST_MAGNITUDE ? 127.0f / most : 0.0f);
        scales[r] = most / 127.0f + sum_of_lanes(probe);
        sums[r] = zero();
    }
    for (int k = 0; k < group; k += LANES) {
        Bytes bytes[ROW_BLOCK] = {};
        WENDING_UNROLL
        for (int r = 0; r < ROWS; ++r) bytes[r] = to_bytes(load(x[r] + k) * inverse[r], sums[r]);
        store_interleaved(codes + k * ROW_BLOCK, bytes);
    }
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r) {
        const float sum = sum_of_lanes(sums[r]);
        const bool sound = __builtin_fabsf(sum) <= 127.0f * float(group);  // not where a value is not finite
        starts[r] = sound ? -beyond * int32_t(sum) : 0;
        negative_sums[r] = -scales[r] * sum;
    }
}

// ROWS rows from the first of block `block` on.
template <int ROWS>
static void quantize_block(const QuantizeArguments& a, int64_t block) {
    const QuantizedFormat format = QUANTIZED_FORMATS[a.format];
    const int group = activation_group(format), beyond = excess(format);
    const int64_t groups = a.stride / group;
    for (int64_t g = 0; g < groups; ++g) {
        const int64_t first = g * group, count = a.size - first;
        float padded[ROWS][LARGEST_ACTIVATION_GROUP] = {};
        const float* x[ROWS];
        for (int r = 0; r < ROWS; ++r) {
            x[r] = a.x + (block * ROW_BLOCK + r) * a.size + first;
            if (count < group) {
                if (count > 0) memcpy(padded[r], x[r], size_t(count) * sizeof(float));
                x[r] = padded[r];
            }
        }
        const int64_t at = (block * groups + g) * ROW_BLOCK;
        quantize_group<ROWS>(x, group, beyond, a.codes + at * group, a.scales + at, a.starts + at,
                             a.negative_sums + at);
    }
}

static void quantize_rows(const QuantizeArguments& a, int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
        switch (a.rows - block * ROW_BLOCK) {
            case 1: quantize_block<1>(a, block); break;
            case 2: quantize_block<2>(a, block); break;
            case 3: quantize_block<3>(a, block); break;
            default: quantize_block<ROW_BLOCK>(a, block);
        }
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
