// Linear layer: out = x weight^T + bias + residual.
//
// The lanes run over outputs, so each output is one chain of fmadds over the inputs in their order, beginning with
// zero. Tiles of any number of rows and panels keep that chain: a row's result cannot depend on what is computed with it.
#pragma once

#include "arguments.h"
#include "each.h"
#include "store_tile.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

constexpr int PAIR_SIZE = 2 * PANEL_OUTPUTS;
// How far ahead weights are asked for: the hardware's own prefetching stops at the end of each page.
constexpr int PREFETCHED = 32 * PAIR_SIZE;

// A pair of inputs for 16 of the panel's 32 outputs; `half` says which.
WENDING_INLINE void load_weights(const uint16_t* pair, int half, Vector& first, Vector& second) {
    const uint16_t* at = pair + half * LANES * 2;
    __builtin_prefetch(at + PREFETCHED);
    load_pairs(at, first, second);
}
WENDING_INLINE void load_weights(const float* pair, int half, Vector& first, Vector& second) {
    const float* at = pair + half * LANES;
    __builtin_prefetch(at + PREFETCHED);
    __builtin_prefetch(at + PREFETCHED + PANEL_OUTPUTS);
    first = load(at);
    second = load(at + PANEL_OUTPUTS);
}

// ROWS rows times HALVES half panels; the halves follow each other from output `output` on.
template <class Weight, int ROWS, int HALVES>
WENDING_INLINE void multiply_tile(const LinearArguments& a, int64_t row, int64_t output) {
    const int64_t pairs = (a.inputs + 1) / 2;
    const Weight* panel = static_cast<const Weight*>(a.panels) + output / PANEL_OUTPUTS * pairs * PAIR_SIZE;
    const int first_half = int(output % PANEL_OUTPUTS) / LANES;
    const float* x = a.x + row * a.inputs;
    Vector sums[ROWS][HALVES];
    for (int r = 0; r < ROWS; ++r)
        for (int h = 0; h < HALVES; ++h) sums[r][h] = zero();
    Vector first[HALVES], second[HALVES];
    const auto load_pair = [&](int64_t pair) {
        for (int h = 0; h < HALVES; ++h) {
            const int half = first_half + h;
            const Weight* at = panel + (half / 2 * pairs + pair) * PAIR_SIZE;
            load_weights(at, half % 2, first[h], second[h]);
        }
    };
    for (int64_t pair = 0; pair < a.inputs / 2; ++pair) {
        load_pair(pair);
        for (int r = 0; r < ROWS; ++r) {
            const Vector x0 = broadcast(x[r * a.inputs + 2 * pair]);
            for (int h = 0; h < HALVES; ++h) sums[r][h] = fmadd(x0, first[h], sums[r][h]);
        }
        for (int r = 0; r < ROWS; ++r) {
            const Vector x1 = broadcast(x[r * a.inputs + 2 * pair + 1]);
            for (int h = 0; h < HALVES; ++h) sums[r][h] = fmadd(x1, second[h], sums[r][h]);
        }
    }
    if (a.inputs % 2) {
        load_pair(pairs - 1);
        for (int r = 0; r < ROWS; ++r)
            for (int h = 0; h < HALVES; ++h)
                sums[r][h] = fmadd(broadcast(x[r * a.inputs + a.inputs - 1]), first[h], sums[r][h]);
    }
    alignas(64) float found[ROWS * HALVES * LANES];
    for (int r = 0; r < ROWS; ++r)
        for (int h = 0; h < HALVES; ++h) store(found + (r * HALVES + h) * LANES, sums[r][h]);
    store_tile(a, row, ROWS, output / PANEL_OUTPUTS, first_half, HALVES, found);
}

// Calls tile(Index<halves>, output) for all outputs of the panels from `begin` to `end`: HALVES half panels at once, and
// a single panel where one is left over.
template <int HALVES, class Tile>
WENDING_INLINE void for_each_tile(int64_t begin, int64_t end, const Tile& tile) {
    int64_t output = begin * PANEL_OUTPUTS;
    for (; output + HALVES * LANES <= end * PANEL_OUTPUTS; output += HALVES * LANES) tile(Index<HALVES>{}, output);
    if constexpr (HALVES > 2)
        if (output < end * PANEL_OUTPUTS) tile(Index<2>{}, output);
}

// All outputs of the panels from `begin` to `end` for ROWS rows.
template <class Weight, int ROWS, int HALVES>
WENDING_INLINE void multiply_rows(const LinearArguments& a, int64_t row, int64_t begin, int64_t end) {
    for_each_tile<HALVES>(begin, end, [&](auto halves, int64_t output) __attribute__((always_inline)) {
        multiply_tile<Weight, ROWS, halves.value>(a, row, output);
    });
}

// The rows that are left after whole tiles: calls the tile of exactly that many rows.
template <class Weight, int ROWS>
WENDING_INLINE void multiply_last_rows(const LinearArguments& a, int64_t row, int64_t begin, int64_t end) {
    if constexpr (ROWS > 0) {
        if (a.rows - row == ROWS)
            multiply_rows<Weight, ROWS, TILE_HALVES>(a, row, begin, end);
        else
            multiply_last_rows<Weight, ROWS - 1>(a, row, begin, end);
    }
}

template <class Weight>
static void linear(const LinearArguments& a, int64_t begin, int64_t end) {
    if (a.rows == 1) {  // more outputs at once, so that enough chains are under way to hide the fmadd's latency
        multiply_rows<Weight, 1, ONE_ROW_HALVES>(a, 0, begin, end);
        return;
    }
    int64_t row = 0;  // rows outside, panels inside: a task's panels stay in the cache
    for (; row + TILE_ROWS <= a.rows; row += TILE_ROWS) multiply_rows<Weight, TILE_ROWS, TILE_HALVES>(a, row, begin, end);
    multiply_last_rows<Weight, TILE_ROWS - 1>(a, row, begin, end);
}

}  // namespace WENDING_ISA
}  // namespace wending
