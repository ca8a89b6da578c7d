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
        Bytes bytes[ROWS];
        WENDING_UNROLL
        for (int r = 0; r < ROWS; ++r) bytes[r] = to_bytes(load(x[r] + k) * inverse[r], sums[r]);
        store_interleaved(codes + k * ROWS, bytes);
    }
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r) {
        const float sum = sum_of_lanes(sums[r]);
        const bool sound = __builtin_fabsf(sum) <= 127.0f * float(group);  // not where a value is not finite
        starts[r] = sound ? -beyond * int32_t(sum) : 0;
        negative_sums[r] = -scales[r] * sum;
    }
}

// A tile of ROWS rows from `row` on.
template <int ROWS>
static void quantize_tile(const QuantizeArguments& a, int64_t row) {
    const QuantizedFormat format = QUANTIZED_FORMATS[a.format];
    const int group = activation_group(format), beyond = excess(format);
    const int64_t groups = a.stride / group;
    for (int64_t g = 0; g < groups; ++g) {
        const int64_t first = g * group, count = a.size - first;
        float padded[ROWS][LARGEST_ACTIVATION_GROUP] = {};
        const float* x[ROWS];
        for (int r = 0; r < ROWS; ++r) {
            x[r] = a.x + (row + r) * a.size + first;
            if (count < group) {
                if (count > 0) memcpy(padded[r], x[r], size_t(count) * sizeof(float));
                x[r] = padded[r];
            }
        }
        const int64_t at = row * groups + g * ROWS;
        quantize_group<ROWS>(x, group, beyond, a.codes + at * group, a.scales + at, a.starts + at,
                             a.negative_sums + at);
    }
}

template <int ROWS>
WENDING_INLINE void quantize_tile_of(const QuantizeArguments& a, int64_t row, int64_t width) {
    if constexpr (ROWS > 1)
        if (width != ROWS) return quantize_tile_of<ROWS - 1>(a, row, width);
    quantize_tile<ROWS>(a, row);
}

static void quantize_rows(const QuantizeArguments& a, int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
        const int64_t row = row_tile_begin(a.rows, QUANTIZED_TILE_ROWS, tile);
        quantize_tile_of<QUANTIZED_TILE_ROWS>(a, row, row_tile_begin(a.rows, QUANTIZED_TILE_ROWS, tile + 1) - row);
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
