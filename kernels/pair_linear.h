// Linear layer over BF16 weights by the processor's own dot product of BF16 pairs: out = round(x) weight^T + bias +
// residual. Activations are rounded to BF16; products are exact and summed in float32.
//
// Each output is one chain of such dot products over the pairs of inputs in their order, beginning with zero: a row's
// result cannot depend on what is computed with it. For AVX-512 only.
#pragma once

#include "arguments.h"
#include "linear.h"
#include "pair_vector.h"

#if defined(__AVX512F__)

namespace wending {
namespace WENDING_ISA {

// Activations to BF16, to nearest even; the inputs that fill up the stride are zeros.
static void round_rows(const RoundArguments& a, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
        const float* x = a.x + row * a.size;
        char* out = reinterpret_cast<char*>(a.pairs + row / ROW_BLOCK * ROW_BLOCK * a.stride + row % ROW_BLOCK * 2);
        for (int64_t k = 0; k < a.stride; k += LANES) {
            float padded[LANES] = {};
            const float* from = x + k;
            if (a.size - k < LANES) {
                if (a.size > k) memcpy(padded, from, size_t(a.size - k) * sizeof(float));
                from = padded;
            }
            uint16_t bits[LANES];
            store_bfloat16(bits, load(from));
            for (int i = 0; i < LANES; i += 2) memcpy(out + (k + i) * ROW_BLOCK * 2, bits + i, 4);
        }
    }
}

// ROWS rows times HALVES half panels; the halves follow each other from output `output` on. More rows than one begin at a
// multiple of ROW_BLOCK.
template <int ROWS, int HALVES>
WENDING_INLINE void multiply_pairs_tile(const PairLinearArguments& a, int64_t row, int64_t output) {
    const int64_t pairs = (a.linear.inputs + 1) / 2;
    const uint16_t* weights[HALVES];
    for (int h = 0; h < HALVES; ++h) {
        const int64_t half = output / LANES + h;
        weights[h] = static_cast<const uint16_t*>(a.linear.panels) + half / 2 * pairs * PAIR_SIZE + half % 2 * LANES * 2;
    }
    const uint16_t* x = a.pairs + row / ROW_BLOCK * ROW_BLOCK * a.stride + row % ROW_BLOCK * 2;
    Vector sums[ROWS][HALVES];
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r)
        WENDING_UNROLL
        for (int h = 0; h < HALVES; ++h) sums[r][h] = zero();
    for (int64_t pair = 0; pair < pairs; ++pair) {
        __m512i loaded[HALVES];
        WENDING_UNROLL
        for (int h = 0; h < HALVES; ++h) {
            loaded[h] = _mm512_loadu_si512(weights[h]);
            __builtin_prefetch(weights[h] + PREFETCHED);
            weights[h] += PAIR_SIZE;
        }
        WENDING_UNROLL
        for (int r = 0; r < ROWS; ++r) {
            const __m512i all = broadcast_pair(x + r / ROW_BLOCK * ROW_BLOCK * a.stride + r % ROW_BLOCK * 2);
            WENDING_UNROLL
            for (int h = 0; h < HALVES; ++h) sums[r][h] = dot_pairs(sums[r][h], loaded[h], all);
        }
        x += ROW_BLOCK * 2;
    }
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r)
        WENDING_UNROLL
        for (int h = 0; h < HALVES; ++h) store_outputs(a.linear, row + r, output + h * LANES, sums[r][h]);
}

template <int ROWS, int HALVES>
WENDING_INLINE void multiply_pairs_rows(const PairLinearArguments& a, int64_t row, int64_t begin, int64_t end) {
    for_each_tile<HALVES>(begin, end, [&](auto halves, int64_t output) __attribute__((always_inline)) {
        multiply_pairs_tile<ROWS, halves.value>(a, row, output);
    });
}

static void pair_linear(const PairLinearArguments& a, int64_t begin, int64_t end) {
    const auto block = [&](auto rows, auto halves, int64_t row) __attribute__((always_inline)) {
        multiply_pairs_rows<rows.value, halves.value>(a, row, begin, end);
    };
    for_each_block_of_rows<TILE_ROWS>(a.linear.rows, block);
}

// The speed of the instruction alone; see peak.h.
static void pair_peak(const PeakArguments& a, int64_t begin, int64_t end) {
    const __m512i weights = _mm512_set1_epi32(a.seed);
    for (int64_t task = begin; task < end; ++task) {
        Vector sums[PEAK_CHAINS];
        for (int chain = 0; chain < PEAK_CHAINS; ++chain) sums[chain] = broadcast(float(a.seed + chain));
        for (int64_t i = 0; i < a.steps; ++i)
            WENDING_UNROLL
            for (int chain = 0; chain < PEAK_CHAINS; ++chain) sums[chain] = dot_pairs(sums[chain], weights, weights);
        Vector total = zero();
        for (const Vector& sum : sums) total = total + sum;
        a.out[task] = sum_of_lanes(total);
    }
}

}  // namespace WENDING_ISA
}  // namespace wending

#endif
