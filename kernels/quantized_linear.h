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

// Calls body with Index<0>, Index<1>, ... Index<N - 1>: a loop that is certain to be written out, so that what it goes
// through stays in registers.
template <int N, int I = 0, class Body>
WENDING_INLINE void each(const Body& body) {
    if constexpr (I < N) {
        body(Index<I>{});
        each<N, I + 1>(body);
    }
}

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
    each<HALVES>([&](auto h) {
        const int half = first_half + h.value;
        lanes[h.value] = half % 2 * LANES;
        at[h.value] = static_cast<const uint8_t*>(a.linear.panels) + (output / PANEL_OUTPUTS + half / 2) * panel_bytes;
    });
    const int64_t block = row / ROW_BLOCK, within = row % ROW_BLOCK;
    const int8_t* x = a.codes + block * ROW_BLOCK * a.stride + within * 4;
    const float* scales = a.scales + block * ROW_BLOCK * parts + within;
    const float* totals = a.sums + block * ROW_BLOCK * parts + within;
    const auto code_of = [&](auto r) { return r.value / ROW_BLOCK * ROW_BLOCK * a.stride + r.value % ROW_BLOCK * 4; };
    const auto scale_of = [&](auto r) { return r.value / ROW_BLOCK * ROW_BLOCK * parts + r.value % ROW_BLOCK; };
    // The sums are touched once a group, so they stand in memory: the registers are for the dot products. The compiler is
    // kept from knowing what the pointer points to, or it would move them into registers and spill others all the time.
    alignas(64) float memory[ROWS * HALVES * LANES];
    float* sums = memory;
    __asm__("" : "+r"(sums) : : "memory");
    const auto sum_of = [&](auto r, auto h) { return sums + (r.value * HALVES + h.value) * LANES; };
    each<ROWS>([&](auto r) { each<HALVES>([&](auto h) { store(sum_of(r, h), zero()); }); });
    for (int64_t group = 0; group < groups; ++group) {
        const uint8_t* from[HALVES];
        each<HALVES>([&](auto h) { from[h.value] = at[h.value] + R::HEAD + lanes[h.value] * 4; });
        for (int part = 0; part < R::PARTS; ++part) {
            Integers dots[ROWS][HALVES];
            each<ROWS>([&](auto r) { each<HALVES>([&](auto h) { dots[r.value][h.value] = no_sum(); }); });
            for (int k = 0; k < R::CHANNELS; k += R::STEP) {
                Codes codes[HALVES], high[HALVES];
                each<HALVES>([&](auto h) {
                    codes[h.value] = load_codes(from[h.value]);
                    __builtin_prefetch(from[h.value] + CODES_PREFETCHED);
                    from[h.value] += STEP_BYTES;
                    if constexpr (R::BITS == 4) {
                        high[h.value] = high_codes(codes[h.value]);
                        codes[h.value] = low_codes(codes[h.value]);
                    }
                });
                each<ROWS>([&](auto r) {
                    const int8_t* four = x + code_of(r);
                    each<HALVES>([&](auto h) {
                        Integers& sum = dots[r.value][h.value];
                        sum = dot<R::BITS>(sum, codes[h.value], four);
                        if constexpr (R::BITS == 4) sum = dot<4>(sum, high[h.value], four + ROW_BLOCK * 4);
                    });
                });
                x += R::STEP * ROW_BLOCK;
            }
            each<HALVES>([&](auto h) {
                const uint16_t* head = reinterpret_cast<const uint16_t*>(at[h.value]) + lanes[h.value];
                const Vector weight_scale = load_half(head);
                each<ROWS>([&](auto r) {
                    const Vector scale = broadcast(scales[scale_of(r)]);
                    const Vector total = broadcast(totals[scale_of(r)]);
                    Vector found = to_float(dots[r.value][h.value]);
                    if constexpr (R::MIDDLE != 0) found = found - total * broadcast(R::MIDDLE);  // exact
                    Vector sum = fmadd(found * scale, weight_scale, load(sum_of(r, h)));
                    if constexpr (R::format.offsets)
                        sum = fmadd(zero() - total * scale, load_half(head + PANEL_OUTPUTS), sum);
                    store(sum_of(r, h), sum);
                });
            });
            scales += ROW_BLOCK;
            totals += ROW_BLOCK;
        }
        each<HALVES>([&](auto h) { at[h.value] += R::GROUP_BYTES; });
    }
    each<ROWS>([&](auto r) {
        each<HALVES>([&](auto h) {
            store_outputs(a.linear, row + r.value, output + h.value * LANES, load(sum_of(r, h)));
        });
    });
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
    const int64_t rows = a.linear.rows;
    if (rows == 1) {
        multiply_quantized_rows<FORMAT, 1, ONE_ROW_HALVES>(a, 0, begin, end);
        return;
    }
    int64_t row = 0;  // rows outside, panels inside: a task's panels stay in the cache
    const auto multiply = [&](auto count) {
        for (; row + count.value <= rows; row += count.value)
            multiply_quantized_rows<FORMAT, count.value, TILE_HALVES>(a, row, begin, end);
    };
    if constexpr (TILE_ROWS >= 12) multiply(Index<12>{});
    if constexpr (TILE_ROWS >= 8) multiply(Index<8>{});
    if constexpr (TILE_ROWS >= 4) {
        multiply(Index<4>{});
        multiply(Index<3>{});
        multiply(Index<2>{});
    }
    multiply(Index<1>{});
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
