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
// Larger tiles would leave no registers for the ends of the groups.
constexpr int QUANTIZED_TILE_ROWS = TILE_ROWS < 8 ? TILE_ROWS : 8;

template <int FORMAT>
struct Reader {
    static constexpr QuantizedFormat format = QUANTIZED_FORMATS[FORMAT];
    static constexpr int BITS = format.bits;
    static constexpr int CHANNELS = activation_group(format);          // that share an activation scale
    static constexpr int PARTS = format.group / CHANNELS;              // of a weight group
    static constexpr int STEP = BITS == 8 ? 4 : 8;                     // channels a load of codes covers
    static constexpr int64_t GROUP_BYTES = group_bytes(format), HEAD = head_bytes(format);
};

// ROWS rows times HALVES half panels; the halves follow each other from output `output` on. More rows than one begin at a
// multiple of ROW_BLOCK.
template <int FORMAT, int ROWS, int HALVES>
WENDING_INLINE void multiply_quantized_tile(const QuantizedLinearArguments& a, int64_t row, int64_t output) {
    using R = Reader<FORMAT>;
    constexpr int64_t STEP_BYTES = PANEL_OUTPUTS * 4;
    const int64_t groups = group_count(R::format, a.linear.inputs), parts = groups * R::PARTS;
    const int64_t panel_bytes = groups * R::GROUP_BYTES;
    const int first_half = int(output % PANEL_OUTPUTS) / LANES;
    const uint8_t* at[HALVES];  // the group's first byte; and the half's first output, counted from the panel's
    int64_t lanes[HALVES];
    for (int h = 0; h < HALVES; ++h) {
        const int half = first_half + h;
        lanes[h] = half % 2 * LANES;
        at[h] = static_cast<const uint8_t*>(a.linear.panels) + (output / PANEL_OUTPUTS + half / 2) * panel_bytes;
    }
    const int64_t block = row / ROW_BLOCK, within = row % ROW_BLOCK;
    const int8_t* x = a.codes + block * ROW_BLOCK * a.stride + within * 4;
    const float* scales = a.scales + block * ROW_BLOCK * parts + within;
    const int32_t* starts = a.starts + block * ROW_BLOCK * parts + within;
    const float* negative_sums = a.negative_sums + block * ROW_BLOCK * parts + within;
    const auto code_of = [&](int r) { return r / ROW_BLOCK * ROW_BLOCK * a.stride + r % ROW_BLOCK * 4; };
    const auto scale_of = [&](int r) { return r / ROW_BLOCK * ROW_BLOCK * parts + r % ROW_BLOCK; };
    // The sums are touched once a group, so they stand in memory: the registers are for the dot products. The compiler is
    // kept from knowing what the pointer points to, or it would move them into registers and spill others all the time.
    alignas(64) float memory[ROWS * HALVES * LANES];
    float* sums = memory;
    __asm__("" : "+r"(sums) : : "memory");
    for (int i = 0; i < ROWS * HALVES; ++i) store(sums + i * LANES, zero());
    for (int64_t group = 0; group < groups; ++group) {
        const uint8_t* from[HALVES];
        for (int h = 0; h < HALVES; ++h) from[h] = at[h] + R::HEAD + lanes[h] * 4;
        for (int part = 0; part < R::PARTS; ++part) {
            Integers dots[ROWS][HALVES];
            WENDING_UNROLL
            for (int r = 0; r < ROWS; ++r) {
                const Integers start = all_lanes(excess(R::format) ? starts[scale_of(r)] : 0);
                WENDING_UNROLL
                for (int h = 0; h < HALVES; ++h) dots[r][h] = start;
            }
            for (int k = 0; k < R::CHANNELS; k += R::STEP) {
                Codes codes[HALVES], high[HALVES];
                WENDING_UNROLL
                for (int h = 0; h < HALVES; ++h) {
                    codes[h] = load_codes(from[h]);
                    __builtin_prefetch(from[h] + CODES_PREFETCHED);
                    from[h] += STEP_BYTES;
                    if constexpr (R::BITS == 4) {
                        high[h] = high_codes(codes[h]);
                        codes[h] = low_codes(codes[h]);
                    }
                }
                WENDING_UNROLL
                for (int r = 0; r < ROWS; ++r) {
                    const int8_t* four = x + code_of(r);
                    WENDING_UNROLL
                    for (int h = 0; h < HALVES; ++h) {
                        dots[r][h] = dot<R::BITS>(dots[r][h], codes[h], four);
                        if constexpr (R::BITS == 4) dots[r][h] = dot<4>(dots[r][h], high[h], four + ROW_BLOCK * 4);
                    }
                }
                x += R::STEP * ROW_BLOCK;
            }
            WENDING_UNROLL
            for (int h = 0; h < HALVES; ++h) {
                const uint16_t* head = reinterpret_cast<const uint16_t*>(at[h]) + lanes[h];
                const Vector weight_scale = load_half(head);
                WENDING_UNROLL
                for (int r = 0; r < ROWS; ++r) {
                    float* const sum_at = sums + (r * HALVES + h) * LANES;
                    const Vector found = to_float(dots[r][h]) * broadcast(scales[scale_of(r)]);
                    Vector sum = fmadd(found, weight_scale, load(sum_at));
                    if constexpr (R::format.offsets)
                        sum = fmadd(broadcast(negative_sums[scale_of(r)]), load_half(head + PANEL_OUTPUTS), sum);
                    store(sum_at, sum);
                }
            }
            scales += ROW_BLOCK;
            starts += ROW_BLOCK;
            negative_sums += ROW_BLOCK;
        }
        for (int h = 0; h < HALVES; ++h) at[h] += R::GROUP_BYTES;
    }
    for (int r = 0; r < ROWS; ++r)
        for (int h = 0; h < HALVES; ++h)
            store_outputs(a.linear, row + r, output + h * LANES, load(sums + (r * HALVES + h) * LANES));
}

// All outputs of the panels from `begin` to `end` for ROWS rows.
template <int FORMAT, int ROWS, int HALVES>
WENDING_INLINE void multiply_quantized_rows(const QuantizedLinearArguments& a, int64_t row, int64_t begin, int64_t end) {
    for_each_tile<HALVES>(begin, end, [&](auto halves, int64_t output) __attribute__((always_inline)) {
        multiply_quantized_tile<FORMAT, ROWS, halves.value>(a, row, output);
    });
}

template <int FORMAT>
static void quantized_linear(const QuantizedLinearArguments& a, int64_t begin, int64_t end) {
    const auto block = [&](auto rows, auto halves, int64_t row) __attribute__((always_inline)) {
        multiply_quantized_rows<FORMAT, rows.value, halves.value>(a, row, begin, end);
    };
    for_each_block_of_rows<QUANTIZED_TILE_ROWS>(a.linear.rows, block);
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
