// Quantises weights as they are put in place; see quantized_format.h for where they go.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>

#include "quantized_format.h"
#include "storage.h"
#include "thread_pool.h"

namespace wending {
namespace {

constexpr int LARGEST_GROUP = 128;

// A group's scale and offset as the kernels will read them, and its codes.
struct Quantized {
    uint16_t scale = 0, offset = 0;
    uint8_t codes[LARGEST_GROUP];
    double error = 0;  // sum of squares
};

// Codes of `values` for a scale, and for the least value where the format has offsets.
Quantized with_scale(const float* values, const QuantizedFormat& format, float scale, float least) {
    Quantized found;
    found.scale = float_to_half(scale);
    found.offset = float_to_half(-least);
    const float kept = half_to_float(found.scale), offset = half_to_float(found.offset);
    const float middle = format.offsets ? 0.0f : float(1 << (format.bits - 1));
    const float last = float((1 << format.bits) - 1), inverse = kept != 0 ? 1 / kept : 0;
    // 8 bits stay symmetric, from 1 to 255: a kernel takes them as signed numbers up to 127.
    const float first = format.bits == 8 ? 1.0f : 0.0f;
    for (int k = 0; k < format.group; ++k) {
        const float shifted = format.offsets ? values[k] + offset : values[k];
        const float code = std::min(std::max(std::nearbyint(shifted * inverse) + middle, first), last);
        found.codes[k] = uint8_t(code);
        const double difference = double(values[k]) - (double(kept) * (code - middle) - (format.offsets ? offset : 0));
        found.error += difference * difference;
    }
    return found;
}

Quantized quantize(const float* values, const QuantizedFormat& format) {
    const auto [low, high] = std::minmax_element(values, values + format.group);
    if (format.bits == 8) return with_scale(values, format, std::max(-*low, *high) / 127, 0);
    // With 4 bits the widest range is not always the best: a little clipping may be worth finer steps.
    Quantized best;
    best.error = INFINITY;
    for (const float part : {1.0f, 0.92f, 0.84f}) {
        Quantized found;
        if (format.offsets) {
            const float least = std::min(*low, 0.0f) * part, most = std::max(*high, 0.0f) * part;
            found = with_scale(values, format, (most - least) / 15, least);
        } else {  // the value of largest magnitude becomes code 0, which reaches one step further than code 15
            found = with_scale(values, format, (-*low > *high ? *low : *high) * part / -8, 0);
        }
        if (found.error < best.error) best = found;
    }
    return best;
}

}  // namespace

template <class Source>
void Weight::fill_quantized(int64_t first, int64_t count, const Source* rows) {
    const QuantizedFormat form = QUANTIZED_FORMATS[format];
    const int64_t groups = group_count(form, inputs), first_panel = first / PANEL_OUTPUTS, last = first + count;
    uint8_t* const all = static_cast<uint8_t*>(panels.data());
    std::atomic<int64_t> wrong{-1};
    const auto fill_group = [&](int64_t row, int64_t group) {
        float values[LARGEST_GROUP] = {};
        const int64_t from = group * form.group, held = std::min<int64_t>(form.group, inputs - from);
        for (int64_t k = 0; k < held; ++k) {
            values[k] = widened(rows[(row - first) * inputs + from + k]);
            if (!std::isfinite(values[k])) {
                wrong.store(row - first);
                values[k] = 0;
            }
        }
        const Quantized found = quantize(values, form);
        const int64_t lane = row % PANEL_OUTPUTS;
        uint8_t* const out = all + row / PANEL_OUTPUTS * panel_bytes + group * group_bytes(form);
        reinterpret_cast<uint16_t*>(out)[lane] = found.scale;
        if (form.offsets) reinterpret_cast<uint16_t*>(out)[PANEL_OUTPUTS + lane] = found.offset;
        for (int k = 0; k < form.group; ++k) {
            uint8_t& byte = out[code_byte(form, k, lane)];
            const int shift = code_shift(form, k), mask = ((1 << form.bits) - 1) << shift;
            byte = uint8_t((byte & ~mask) | found.codes[k] << shift);
        }
    };
    ThreadPool::shared().run((last + PANEL_OUTPUTS - 1) / PANEL_OUTPUTS - first_panel, 1, [&](int64_t begin, int64_t end) {
        const int64_t from = std::max(first, (first_panel + begin) * PANEL_OUTPUTS);
        const int64_t to = std::min(last, (first_panel + end) * PANEL_OUTPUTS);
        for (int64_t row = from; row < to; ++row)
            for (int64_t group = 0; group < groups; ++group) fill_group(row, group);
    });
    if (wrong.load() >= 0)
        throw std::invalid_argument("row " + std::to_string(wrong.load()) +
                                    " holds a value that is not finite and cannot be quantised");
}

template void Weight::fill_quantized(int64_t, int64_t, const uint16_t*);
template void Weight::fill_quantized(int64_t, int64_t, const float*);

}  // namespace wending
