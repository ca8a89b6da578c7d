// Linear layer over quantised weights and activations: out = x weight^T + bias + residual.
//
// Within a group of inputs the sums are whole numbers, hence exact. Groups are added in float32, in their order, so that a
// row's result cannot depend on what is computed with it.
#pragma once

#include "arguments.h"
#include "integer_vector.h"
#include "linear.h"

namespace wending {
namespace WENDING_ISA {

// How far ahead the codes are asked for, in bytes.
constexpr int CODES_PREFETCHED = 4096;

template <int FORMAT>
struct Reader {
    static constexpr QuantizedFormat format = QUANTIZED_FORMATS[FORMAT];
    static constexpr int BITS = format.bits;
    static constexpr int CHANNELS = activation_group(format);          // that share an activation scale
    static constexpr int PARTS = format.group / CHANNELS;              // of a weight group
    static constexpr int STEP = BITS == 8 ? 4 : 8;                     // channels a load of codes covers
    static constexpr int64_t GROUP_BYTES = group_bytes(format), HEAD = head_bytes(format);
    // What is left of the codes' middle after `dot`.
    static constexpr float MIDDLE = format.offsets ? 0.0f : BITS == 8 ? 128.0f - TAKEN_FROM_EIGHT_BITS : 8.0f;
};

// ROWS rows times HALVES half panels; the halves follow each other from output `output` on.
template <int FORMAT, int ROWS, int HALVES>
WENDING_INLINE void multiply_quantized_tile(const QuantizedLinearArguments& a, int64_t row, int64_t output) {
    using R = Reader<FORMAT>;
    const int64_t groups = group_count(R::format, a.linear.inputs), parts = groups * R::PARTS;
    const int64_t panel_bytes = groups * R::GROUP_BYTES;
    const uint8_t* panel = static_cast<const uint8_t*>(a.linear.panels) + output / PANEL_OUTPUTS * panel_bytes;
    const int first_half = int(output % PANEL_OUTPUTS) / LANES;
    Vector sums[ROWS][HALVES];
    for (int r = 0; r < ROWS; ++r)
        for (int h = 0; h < HALVES; ++h) sums[r][h] = zero();
    for (int64_t group = 0; group < groups; ++group) {
        const uint8_t* at[HALVES];
        Vector scaled[ROWS][HALVES];
        if constexpr (R::PARTS > 1)
            for (int r = 0; r < ROWS; ++r)
                for (int h = 0; h < HALVES; ++h) scaled[r][h] = zero();
        for (int h = 0; h < HALVES; ++h)
            at[h] = panel + (first_half + h) / 2 * panel_bytes + group * R::GROUP_BYTES;
        const auto lanes = [&](int h) { return (first_half + h) % 2 * LANES; };
        for (int part = 0; part < R::PARTS; ++part) {
            const int64_t index = group * R::PARTS + part;
            const int8_t* x = a.codes + row * a.stride + index * R::CHANNELS;
            Integers dots[ROWS][HALVES];
            for (int r = 0; r < ROWS; ++r)
                for (int h = 0; h < HALVES; ++h) dots[r][h] = no_sum();
            for (int k = 0; k < R::CHANNELS; k += R::STEP) {
                Codes codes[HALVES];
                for (int h = 0; h < HALVES; ++h) {
                    const int64_t place = (part * R::CHANNELS + k) / R::STEP * PANEL_OUTPUTS * 4 + lanes(h) * 4;
                    const uint8_t* p = at[h] + R::HEAD + place;
                    __builtin_prefetch(p + CODES_PREFETCHED);
                    codes[h] = load_codes(p);
                }
                if constexpr (R::BITS == 8) {
                    for (int r = 0; r < ROWS; ++r)
                        for (int h = 0; h < HALVES; ++h)
                            dots[r][h] = dot<8>(dots[r][h], codes[h], x + r * a.stride + k);
                } else {
                    Codes low[HALVES], high[HALVES];
                    for (int h = 0; h < HALVES; ++h) low[h] = low_codes(codes[h]), high[h] = high_codes(codes[h]);
                    for (int r = 0; r < ROWS; ++r)
                        for (int h = 0; h < HALVES; ++h) {
                            dots[r][h] = dot<4>(dots[r][h], low[h], x + r * a.stride + k);
                            dots[r][h] = dot<4>(dots[r][h], high[h], x + r * a.stride + k + 4);
                        }
                }
            }
            for (int r = 0; r < ROWS; ++r) {
                const Vector scale = broadcast(a.scales[(row + r) * parts + index]);
                const Vector middle = broadcast(a.sums[(row + r) * parts + index] * -R::MIDDLE);
                for (int h = 0; h < HALVES; ++h) {
                    const Vector found = (to_float(dots[r][h]) + middle) * scale;  // the sum is exact
                    if constexpr (R::PARTS > 1)
                        scaled[r][h] = scaled[r][h] + found;
                    else
                        scaled[r][h] = found;
                }
            }
        }
        for (int h = 0; h < HALVES; ++h) {
            const uint16_t* head = reinterpret_cast<const uint16_t*>(at[h]) + lanes(h);
            const Vector scale = load_half(head);
            for (int r = 0; r < ROWS; ++r) sums[r][h] = fmadd(scaled[r][h], scale, sums[r][h]);
            if constexpr (R::format.offsets) {
                const Vector offset = load_half(head + PANEL_OUTPUTS);
                for (int r = 0; r < ROWS; ++r) {
                    float taken = 0;  // sum of the row's activations in this group
                    for (int part = 0; part < R::PARTS; ++part) {
                        const int64_t index = (row + r) * parts + group * R::PARTS + part;
                        taken += a.sums[index] * a.scales[index];
                    }
                    sums[r][h] = fmadd(broadcast(-taken), offset, sums[r][h]);
                }
            }
        }
    }
    for (int r = 0; r < ROWS; ++r)
        for (int h = 0; h < HALVES; ++h) store_outputs(a.linear, row + r, output + h * LANES, sums[r][h]);
}

// All outputs of the panels from `begin` to `end` for ROWS rows.
template <int FORMAT, int ROWS, int HALVES>
WENDING_INLINE void multiply_quantized_rows(const QuantizedLinearArguments& a, int64_t row, int64_t begin, int64_t end) {
    int64_t output = begin * PANEL_OUTPUTS;
    for (; output + HALVES * LANES <= end * PANEL_OUTPUTS; output += HALVES * LANES)
        multiply_quantized_tile<FORMAT, ROWS, HALVES>(a, row, output);
    if constexpr (HALVES > 2)
        if (output < end * PANEL_OUTPUTS) multiply_quantized_tile<FORMAT, ROWS, 2>(a, row, output);
}

template <int FORMAT>
static void quantized_linear(const QuantizedLinearArguments& a, int64_t begin, int64_t end) {
    const int64_t rows = a.linear.rows;
    if (rows == 1) {
        multiply_quantized_rows<FORMAT, 1, ONE_ROW_HALVES>(a, 0, begin, end);
        return;
    }
    int64_t row = 0;  // rows outside, panels inside: a task's panels stay in the cache
    const auto multiply = [&]<int ROWS>() {
        for (; row + ROWS <= rows; row += ROWS) multiply_quantized_rows<FORMAT, ROWS, TILE_HALVES>(a, row, begin, end);
    };
    if constexpr (TILE_ROWS >= 12) multiply.template operator()<12>();
    if constexpr (TILE_ROWS >= 8) multiply.template operator()<8>();
    if constexpr (TILE_ROWS >= 4) multiply.template operator()<4>();
    if constexpr (TILE_ROWS >= 2) multiply.template operator()<2>();
    multiply.template operator()<1>();
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
