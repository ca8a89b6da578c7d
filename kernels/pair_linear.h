// Linear layer over BF16 weights by the processor's own dot product of BF16 pairs: out = round(x) weight^T + bias +
// residual. Activations are rounded to BF16; products are exact and summed in float32.
//
// Each output is one chain of such dot products over the pairs of inputs in their order, beginning with zero: a row's
// result cannot depend on what is computed with it. For AVX-512 only.
#pragma once

#include "arguments.h"
#include "linear.h"
#include "pair_vector.h"
#include "row_tile.h"
#include "store_tile.h"

#if defined(__AVX512F__)

namespace wending {
namespace WENDING_ISA {

// Activations to BF16, to nearest even; the inputs that fill up the stride are zeros.
static void round_rows(const RoundArguments& a, int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
        const int64_t first = row_tile_begin(a.rows, PAIR_TILE_ROWS, tile);
        const int64_t width = row_tile_begin(a.rows, PAIR_TILE_ROWS, tile + 1) - first;
        for (int64_t r = 0; r < width; ++r) {
            const float* x = a.x + (first + r) * a.size;
            uint16_t* out = a.pairs + first * a.stride + r * 2;
            for (int64_t k = 0; k < a.stride; k += LANES) {
                float padded[LANES] = {};
                const float* from = x + k;
                if (a.size - k < LANES) {
                    if (a.size > k) memcpy(padded, from, size_t(a.size - k) * sizeof(float));
                    from = padded;
                }
                uint16_t bits[LANES];
                store_bfloat16(bits, load(from));
                for (int i = 0; i < LANES; i += 2) memcpy(out + (k + i) * width, bits + i, 4);
            }
        }
    }
}

// A tile of ROWS rows times a panel.
template <int ROWS>
static void multiply_pairs_tile(const PairLinearArguments& a, const RowTile& tile) {
    const int64_t pairs = (a.linear.inputs + 1) / 2;
    const uint16_t* weights = static_cast<const uint16_t*>(a.linear.panels) + tile.panel * pairs * PAIR_SIZE;
    const uint16_t* x = a.pairs + tile.row * a.stride;
    prefetch_outputs<ROWS>(a.linear, tile.row, tile.panel);
    Vector sums[ROWS][2];
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r) sums[r][0] = sums[r][1] = zero();
    for (int64_t pair = 0; pair < pairs; ++pair) {
        const __m512i first = _mm512_loadu_si512(weights), second = _mm512_loadu_si512(weights + LANES * 2);
        const char* const ahead = reinterpret_cast<const char*>(weights) + tile.ahead[pair % AHEAD_STEPS];
        __builtin_prefetch(ahead, 0, 2);
        __builtin_prefetch(ahead + LANES * 4, 0, 2);
        weights += PAIR_SIZE;
        WENDING_UNROLL
        for (int r = 0; r < ROWS; ++r) {
            const __m512i all = broadcast_pair(x + r * 2);
            sums[r][0] = dot_pairs(sums[r][0], first, all);
            sums[r][1] = dot_pairs(sums[r][1], second, all);
        }
        x += ROWS * 2;
    }
    alignas(64) float found[ROWS * 2 * LANES];
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r) {
        store(found + 2 * r * LANES, sums[r][0]);
        store(found + (2 * r + 1) * LANES, sums[r][1]);
    }
    store_tile(a.linear, tile.row, ROWS, tile.panel, 0, 2, found);
}

static void pair_linear(const PairLinearArguments& a, int64_t begin, int64_t end) {
    const int64_t panel_bytes = (a.linear.inputs + 1) / 2 * PAIR_SIZE * int64_t(sizeof(uint16_t));
    const auto multiply = [&](auto rows, const RowTile& tile) { multiply_pairs_tile<rows.value>(a, tile); };
    for_each_row_tile<PAIR_TILE_ROWS>(a.linear.rows, panel_bytes, begin, end, multiply);
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
