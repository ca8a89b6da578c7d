// Linear layer over quantised weights and activations: out = x weight^T + bias + residual.
//
// Within a group of inputs the sums are whole numbers, hence exact. Groups are added in float32, in their order, so that a
// row's result cannot depend on what is computed with it.
#pragma once

#include "arguments.h"
#include "integer_vector.h"
#include "row_tile.h"
#include "store_tile.h"

namespace wending {
namespace WENDING_ISA {

// Rows and half panels that a pass over the codes serves: as many as leave registers for their sums.
#if defined(__AVX512F__)
constexpr int PASS_ROWS = 6, PASS_HALVES = 2;
#elif defined(__AVX2__)
constexpr int PASS_ROWS = 3, PASS_HALVES = 1;
#else
constexpr int PASS_ROWS = 1, PASS_HALVES = 1;
#endif

// ROWS rows of the tile from its row `first` on, times HALVES half panels from `half` on.
template <int FORMAT, int ROWS, int HALVES>
WENDING_INLINE void multiply_quantized(const QuantizedLinearArguments& a, const RowTile& tile, int first, int half) {
    constexpr QuantizedFormat FORM = QUANTIZED_FORMATS[FORMAT];
    constexpr int CHANNELS = activation_group(FORM), PARTS = FORM.group / CHANNELS;  // that share an activation scale
    constexpr int STEP = FORM.bits == 8 ? 4 : 8;                                     // channels a load of codes covers
    constexpr int64_t STEP_BYTES = PANEL_OUTPUTS * 4;
    const int64_t groups = group_count(FORM, a.linear.inputs), width = tile.width;
    const int64_t before = tile.row * groups * PARTS + first;
    const uint8_t* at = static_cast<const uint8_t*>(a.linear.panels) + tile.panel * groups * group_bytes(FORM);
    const int8_t* x = a.codes + tile.row * a.stride + first * 4;
    const float* scales = a.scales + before;
    const int32_t* starts = a.starts + before;
    const float* negative_sums = a.negative_sums + before;
    prefetch_outputs<ROWS>(a.linear, tile.row + first, tile.panel);
    Vector sums[ROWS][HALVES];
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r)
        WENDING_UNROLL
        for (int h = 0; h < HALVES; ++h) sums[r][h] = zero();
    for (int64_t group = 0; group < groups; ++group) {
        const uint8_t* from = at + head_bytes(FORM) + half * LANES * 4;
        for (int64_t line = 0; line < head_bytes(FORM); line += 64) __builtin_prefetch(at + tile.ahead[0] + line, 0, 2);
        for (int part = 0; part < PARTS; ++part) {
            Integers dots[ROWS][HALVES];
            WENDING_UNROLL
            for (int r = 0; r < ROWS; ++r) {
                const Integers start = all_lanes(excess(FORM) ? starts[r] : 0);
                WENDING_UNROLL
                for (int h = 0; h < HALVES; ++h) dots[r][h] = start;
            }
            for (int k = 0; k < CHANNELS; k += STEP) {
                Codes codes[HALVES], high[HALVES];
                const uint8_t* const ahead = from + tile.ahead[k / STEP];
                WENDING_UNROLL
                for (int h = 0; h < HALVES; ++h) {
                    codes[h] = load_codes(from + h * LANES * 4);
                    __builtin_prefetch(ahead + h * LANES * 4, 0, 2);
                    if constexpr (FORM.bits == 4) {
                        high[h] = high_codes(codes[h]);
                        codes[h] = low_codes(codes[h]);
                    }
                }
                from += STEP_BYTES;
                WENDING_UNROLL
                for (int r = 0; r < ROWS; ++r) {
                    WENDING_UNROLL
                    for (int h = 0; h < HALVES; ++h) {
                        dots[r][h] = dot<FORM.bits>(dots[r][h], codes[h], x + r * 4);
                        if constexpr (FORM.bits == 4)
                            dots[r][h] = dot<4>(dots[r][h], high[h], x + (width + r) * 4);
                    }
                }
                x += STEP * width;
            }
            WENDING_UNROLL
            for (int h = 0; h < HALVES; ++h) {
                const uint16_t* head = reinterpret_cast<const uint16_t*>(at) + (half + h) * LANES;
                const Vector weight_scale = load_half(head);
                WENDING_UNROLL
                for (int r = 0; r < ROWS; ++r) {
                    const Vector found = to_float(dots[r][h]) * broadcast(scales[r]);
                    sums[r][h] = fmadd(found, weight_scale, sums[r][h]);
                    if constexpr (FORM.offsets)
                        sums[r][h] = fmadd(broadcast(negative_sums[r]), load_half(head + PANEL_OUTPUTS), sums[r][h]);
                }
            }
            scales += width;
            starts += width;
            negative_sums += width;
        }
        at += group_bytes(FORM);
    }
    alignas(64) float found[ROWS * HALVES * LANES];
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r)
        WENDING_UNROLL
        for (int h = 0; h < HALVES; ++h) store(found + (r * HALVES + h) * LANES, sums[r][h]);
    store_tile(a.linear, tile.row + first, ROWS, tile.panel, half, HALVES, found);
}

// All rows of the tile: passes of PASS_ROWS, and one of what is left.
template <int FORMAT, int ROWS>
static void multiply_quantized_tile(const QuantizedLinearArguments& a, const RowTile& tile) {
    for (int half = 0; half < 2; half += PASS_HALVES) {
        int first = 0;
        for (; first + PASS_ROWS <= ROWS; first += PASS_ROWS)
            multiply_quantized<FORMAT, PASS_ROWS, PASS_HALVES>(a, tile, first, half);
        if constexpr (ROWS % PASS_ROWS) multiply_quantized<FORMAT, ROWS % PASS_ROWS, PASS_HALVES>(a, tile, first, half);
    }
}

template <int FORMAT>
static void quantized_linear(const QuantizedLinearArguments& a, int64_t begin, int64_t end) {
    constexpr QuantizedFormat FORM = QUANTIZED_FORMATS[FORMAT];
    static_assert(activation_group(FORM) / 4 <= AHEAD_STEPS);
    const int64_t panel_bytes = group_count(FORM, a.linear.inputs) * group_bytes(FORM);
    const auto multiply = [&](auto rows, const RowTile& tile) { multiply_quantized_tile<FORMAT, rows.value>(a, tile); };
    for_each_row_tile<QUANTIZED_TILE_ROWS>(a.linear.rows, panel_bytes, begin, end, multiply);
}

// Embedding out of quantised panels.
template <int FORMAT>
static void quantized_embed(const EmbedArguments& a, int64_t begin, int64_t end) {
    constexpr QuantizedFormat format = QUANTIZED_FORMATS[FORMAT];
    constexpr int middle = format.offsets ? 0 : 1 << (format.bits - 1);
    const int64_t panel_bytes = group_count(format, a.size) * group_bytes(format);
    for (int64_t token = begin; token < end; ++token) {
        const int64_t id = a.token_ids[token], lane = id % PANEL_OUTPUTS;
        const uint8_t* panel = static_cast<const uint8_t*>(a.panels) + id / PANEL_OUTPUTS * panel_bytes;
        for (int64_t k = 0; k < a.size; ++k) {
            const uint8_t* group = panel + k / format.group * group_bytes(format);
            const uint16_t* head = reinterpret_cast<const uint16_t*>(group);
            const int64_t within = k % format.group;
            const int code = group[code_byte(format, within, lane)] >> code_shift(format, within) &
                             ((1 << format.bits) - 1);
            float value = half_to_float(head[lane]) * float(code - middle);
            if (format.offsets) value -= half_to_float(head[PANEL_OUTPUTS + lane]);
            a.out[token * a.size + k] = value;
        }
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
