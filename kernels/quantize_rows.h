// Activations to bytes: each group of channels of a row gets its own scale, the largest magnitude / 127.
#pragma once

#include "arguments.h"
#include "integer_vector.h"

namespace wending {
namespace WENDING_ISA {

// The codes of four channels are ROW_BLOCK * 4 bytes behind those of the four before.
WENDING_INLINE void quantize_group(const float* x, int group, int8_t* codes, float& scale, float& sum) {
    Vector largest = zero(), probe = zero();
    for (int k = 0; k < group; k += LANES) {
        const Vector value = load(x + k);
        largest = greater(greater(value, zero() - value), largest);
        probe = fmadd(value, zero(), probe);  // becomes NaN where a value is not finite
    }
    const float magnitude = greatest_lane(largest);
    const Vector inverse = broadcast(magnitude > 0 ? 127.0f / magnitude : 0.0f);
    const Vector rounder = broadcast(12582912.0f);  // 1.5 * 2^23: adding and subtracting it rounds to a whole number
    Vector total = zero();
    for (int k = 0; k < group; k += LANES) {
        Vector whole = (load(x + k) * inverse + rounder) - rounder;
        whole = lesser(greater(whole, broadcast(-127.0f)), broadcast(127.0f));
        total = total + whole;
        int8_t bytes[LANES];
        store_bytes(bytes, whole);
        for (int i = 0; i < LANES; i += 4) memcpy(codes + (k + i) * ROW_BLOCK, bytes + i, 4);
    }
    scale = magnitude / 127.0f + sum_of_lanes(probe);
    sum = sum_of_lanes(total);
}

static void quantize_rows(const QuantizeArguments& a, int64_t begin, int64_t end) {
    const int64_t groups = a.stride / a.group;
    for (int64_t row = begin; row < end; ++row) {
        const float* x = a.x + row * a.size;
        const int64_t block = row / ROW_BLOCK, within = row % ROW_BLOCK;
        int8_t* const codes = a.codes + block * ROW_BLOCK * a.stride + within * 4;
        for (int64_t g = 0; g < groups; ++g) {
            const int64_t first = g * a.group, count = a.size - first;
            float padded[LARGEST_ACTIVATION_GROUP] = {};
            const float* from = x + first;
            if (count < a.group) {
                if (count > 0) memcpy(padded, from, size_t(count) * sizeof(float));
                from = padded;
            }
            const int64_t place = (block * groups + g) * ROW_BLOCK + within;
            quantize_group(from, int(a.group), codes + first * ROW_BLOCK, a.scales[place], a.sums[place]);
        }
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
