// The order in which the linear layers over activations made smaller go through rows and panels.
#pragma once

#include "arguments.h"
#include "each.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

// A tile of rows (see arguments.h) and a panel that it goes through in steps. At each step it asks for the weights that are
// `ahead` bytes further on: with several tiles each for its share of the next panel, otherwise for what it comes to itself.
constexpr int AHEAD_STEPS = 16;
constexpr int64_t BYTES_PREFETCHED = 4096;
struct RowTile {
    int64_t row, width, panel;
    int64_t ahead[AHEAD_STEPS];
};

template <int WIDTH, class Multiply>
WENDING_INLINE void with_width(const RowTile& tile, const Multiply& multiply) {
    if constexpr (WIDTH > 1)
        if (tile.width != WIDTH) return with_width<WIDTH - 1>(tile, multiply);
    multiply(Index<WIDTH>{}, tile);
}

// Calls multiply(Index<width>, tile) for all rows and the panels from `begin` to `end`. Panels outside, rows inside: a panel
// comes from memory once, while the one before it is multiplied.
template <int MOST_ROWS, class Multiply>
WENDING_INLINE void for_each_row_tile(int64_t rows, int64_t panel_bytes, int64_t begin, int64_t end,
                                      const Multiply& multiply) {
    const int64_t tiles = row_tiles(rows, MOST_ROWS);
    for (int64_t panel = begin; panel < end; ++panel)
        for (int64_t i = 0; i < tiles; ++i) {
            const int64_t row = row_tile_begin(rows, MOST_ROWS, i);
            RowTile tile = {row, row_tile_begin(rows, MOST_ROWS, i + 1) - row, panel, {}};
            for (int64_t step = i; step < AHEAD_STEPS; step += tiles)
                tile.ahead[step] = tiles == 1 ? BYTES_PREFETCHED : panel_bytes;
            with_width<MOST_ROWS>(tile, multiply);
        }
}

}  // namespace WENDING_ISA
}  // namespace wending
