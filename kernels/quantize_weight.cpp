// Quantises weights as they are put in place, or puts codes that were made elsewhere there; see quantized_format.h for
// where they go.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "quantized_format.h"
#include "storage.h"
#include "thread_pool.h"

namespace wending {
namespace {

constexpr int LARGEST_GROUP = 128;
constexpr float LARGEST_HALF = 65504;

// A group of inputs of a whole panel, [input][output]: what is done to one output is done to all 32 side by side, each by
// itself and in the order of its inputs.
constexpr int LANES = PANEL_OUTPUTS;
using Values = float[LARGEST_GROUP][LANES];

// Scales and offsets of such a group as the kernels will read them, and its codes.
struct Quantized {
    uint16_t scales[LANES], offsets[LANES];
    uint8_t codes[LARGEST_GROUP][LANES];
    double errors[LANES];  // sums of squares
};

// To the nearest whole number, to even on a tie, like nearbyint but for numbers beyond 2^22, which are clamped anyway.
inline float rounded(float x) { return (x + 12582912.0f) - 12582912.0f; }

// Codes for a scale and, where the format has offsets, for the least value of each output.
template <bool WITH_ERRORS>
void with_scales(const Values& values, const QuantizedFormat& format, const float* scales, const float* least,
                 Quantized& out) {
    float kept[LANES], offsets[LANES], inverse[LANES];
    for (int lane = 0; lane < LANES; ++lane) {
        out.scales[lane] = float_to_half(scales[lane]);
        out.offsets[lane] = float_to_half(-least[lane]);
        kept[lane] = half_to_float(out.scales[lane]);
        offsets[lane] = format.offsets ? half_to_float(out.offsets[lane]) : 0.0f;
        inverse[lane] = kept[lane] != 0 ? 1 / kept[lane] : 0;
    }
    const float middle = format.offsets ? 0.0f : float(1 << (format.bits - 1));
    // 8 bits stay symmetric, from 1 to 255: a kernel takes them as signed numbers up to 127.
    const float first = format.bits == 8 ? 1.0f : 0.0f, last = float((1 << format.bits) - 1);
    double errors[LANES] = {};
    for (int k = 0; k < format.group; ++k) {
        const float* const row = values[k];
        uint8_t* const codes = out.codes[k];
        for (int lane = 0; lane < LANES; ++lane) {
            const float whole = rounded((row[lane] + offsets[lane]) * inverse[lane]) + middle;
            const float above = whole > first ? whole : first, code = above < last ? above : last;
            codes[lane] = uint8_t(int(code));
            if constexpr (WITH_ERRORS) {
                const double difference =
                    double(row[lane]) - (double(kept[lane]) * double(code - middle) - double(offsets[lane]));
                errors[lane] += difference * difference;
            }
        }
    }
    std::copy(errors, errors + LANES, out.errors);
}

// Takes over what is better in `found`, output by output.
void keep_better(const Quantized& found, int group, Quantized& best) {
    uint8_t better[LANES];
    for (int lane = 0; lane < LANES; ++lane) {
        better[lane] = found.errors[lane] < best.errors[lane] ? 0xFF : 0;
        if (!better[lane]) continue;
        best.scales[lane] = found.scales[lane];
        best.offsets[lane] = found.offsets[lane];
        best.errors[lane] = found.errors[lane];
    }
    for (int k = 0; k < group; ++k)
        for (int lane = 0; lane < LANES; ++lane)
            best.codes[k][lane] =
                uint8_t((found.codes[k][lane] & better[lane]) | (best.codes[k][lane] & ~better[lane]));
}

void quantize(const Values& values, const QuantizedFormat& format, Quantized& best) {
    float low[LANES], high[LANES], scales[LANES], least[LANES] = {};
    std::copy(values[0], values[0] + LANES, low);
    std::copy(values[0], values[0] + LANES, high);
    for (int k = 1; k < format.group; ++k)
        for (int lane = 0; lane < LANES; ++lane) {
            low[lane] = values[k][lane] < low[lane] ? values[k][lane] : low[lane];
            high[lane] = values[k][lane] < high[lane] ? high[lane] : values[k][lane];
        }
    if (format.bits == 8) {
        for (int lane = 0; lane < LANES; ++lane) scales[lane] = std::max(-low[lane], high[lane]) / 127;
        with_scales<false>(values, format, scales, least, best);
        return;
    }
    // With 4 bits the widest range is not always the best: a little clipping may be worth finer steps.
    for (const float part : {1.0f, 0.92f, 0.84f}) {
        for (int lane = 0; lane < LANES; ++lane) {
            if (format.offsets) {
                least[lane] = std::min(low[lane], 0.0f) * part;
                scales[lane] = (std::max(high[lane], 0.0f) * part - least[lane]) / 15;
            } else {  // the value of largest magnitude becomes code 0, which reaches one step further than code 15
                scales[lane] = (-low[lane] > high[lane] ? low[lane] : high[lane]) * part / -8;
            }
        }
        Quantized found;
        with_scales<true>(values, format, scales, least, part == 1.0f ? best : found);
        if (part != 1.0f) keep_better(found, format.group, best);
    }
}

// Calls body(from, to, group) for each group of rows `from` to `to`, all of one panel, panel by panel over the threads: no
// two write to one byte.
template <class Body>
void for_each_group(int64_t first, int64_t count, int64_t groups, const Body& body) {
    const int64_t first_panel = first / LANES, last = first + count, panel_end = (last + LANES - 1) / LANES;
    ThreadPool::shared().run(panel_end - first_panel, 1, [&](int64_t begin, int64_t end) {
        for (int64_t panel = first_panel + begin; panel < first_panel + end; ++panel)
            for (int64_t group = 0; group < groups; ++group)
                body(std::max(first, panel * LANES), std::min(last, (panel + 1) * LANES), group);
    });
}

// Writes scale, offset and codes of one output of a group to the group's bytes; code(k) is the code of input k.
template <class Code>
void put_output(uint8_t* out, const QuantizedFormat& format, int64_t lane, uint16_t scale, uint16_t offset,
                const Code& code) {
    reinterpret_cast<uint16_t*>(out)[lane] = scale;
    if (format.offsets) reinterpret_cast<uint16_t*>(out)[LANES + lane] = offset;
    const int step = format.bits == 8 ? 4 : 8;  // inputs whose codes are neighbours
    for (int k = 0; k < format.group; k += step)
        for (int i = k; i < k + 4; ++i)
            out[code_byte(format, i, lane)] = uint8_t(code(i) | (format.bits == 4 ? code(i + 4) << 4 : 0));
}

}  // namespace

template <class Source>
void Weight::fill_quantized(const Rows& rows, const Source* values_of_rows) {
    const QuantizedFormat form = QUANTIZED_FORMATS[format];
    uint8_t* const all = static_cast<uint8_t*>(panels.data());
    std::atomic<int64_t> wrong{-1};
    for_each_group(rows.first, rows.count, group_count(form, inputs), [&](int64_t from, int64_t to, int64_t group) {
        Values values = {};
        const int64_t start = group * form.group, held = std::min<int64_t>(form.group, inputs - start);
        for (int64_t row = from; row < to; ++row) {
            const Source* const source = values_of_rows + (row - rows.first) * inputs + start;
            for (int64_t k = 0; k < held; ++k) {
                const float value = widened(source[k]);
                if (!std::isfinite(value)) wrong.store(row - rows.first);
                values[k][row % LANES] = std::isfinite(value) ? value : 0;
            }
        }
        Quantized found;
        quantize(values, form, found);
        uint8_t* const out = all + (from / LANES * rows.step + rows.start) * panel_bytes + group * group_bytes(form);
        for (int64_t row = from; row < to; ++row) {
            const int64_t lane = row % LANES;
            put_output(out, form, lane, found.scales[lane], found.offsets[lane],
                       [&](int k) { return found.codes[k][lane]; });
        }
    });
    if (wrong.load() >= 0)
        throw std::invalid_argument("row " + std::to_string(wrong.load()) +
                                    " holds a value that is not finite and cannot be quantised");
}

void Weight::fill_with_codes(const Rows& rows, const uint8_t* codes, const float* scales, const float* offsets) {
    const QuantizedFormat form = QUANTIZED_FORMATS[format];
    const int64_t groups = group_count(form, inputs);
    const uint8_t nothing = form.offsets ? 0 : uint8_t(1 << (form.bits - 1));  // what stands for zero beyond the inputs
    uint8_t* const all = static_cast<uint8_t*>(panels.data());
    std::atomic<int64_t> wrong{-1};
    for_each_group(rows.first, rows.count, groups, [&](int64_t from, int64_t to, int64_t group) {
        const int64_t start = group * form.group, held = std::min<int64_t>(form.group, inputs - start);
        uint8_t* const out = all + (from / LANES * rows.step + rows.start) * panel_bytes + group * group_bytes(form);
        for (int64_t row = from; row < to; ++row) {
            const float scale = scales[(row - rows.first) * groups + group];
            const float offset = form.offsets ? offsets[(row - rows.first) * groups + group] : 0.0f;
            const uint8_t* const given = codes + (row - rows.first) * inputs + start;
            // Written so that NaN is wrong as well.
            if (std::abs(scale) <= LARGEST_HALF && std::abs(offset) <= LARGEST_HALF &&
                *std::max_element(given, given + held) < 1 << form.bits)
                put_output(out, form, row % LANES, float_to_half(scale), float_to_half(offset),
                           [&](int k) { return k < held ? given[k] : nothing; });
            else
                wrong.store(row - rows.first);
        }
    });
    if (wrong.load() >= 0)
        throw std::invalid_argument("row " + std::to_string(wrong.load()) + " holds a code of more than " +
                                    std::to_string(form.bits) + " bits, or a scale or offset that is not finite or " +
                                    "above 65504");
}

template void Weight::fill_quantized(const Rows&, const uint16_t*);
template void Weight::fill_quantized(const Rows&, const float*);

}  // namespace wending
