// How quantised weights stand in memory, known to what packs them and to the kernels that read them.
//
// A weight is scale * (code - middle), or scale * code - offset where the format has offsets. Codes are unsigned; the
// middle is half their range. Every `group` inputs of an output share one scale (and offset), kept as IEEE half floats.
//
// Panels of 32 outputs follow each other, and within a panel groups of inputs (the last filled up with zeros):
//   scales [32], offsets [32] where there are any, codes.
// Four inputs of one output are neighbours, as the dot product instructions want them. 8 bits: [group / 4][32][4] bytes;
// 4 bits: [group / 8][32][4] bytes, the low half byte for inputs 0 to 3 of eight and the high one for 4 to 7.
#pragma once

#include <cstdint>
#include <cstring>

#include "arguments.h"

namespace wending {

struct QuantizedFormat {
    int bits, group;
    bool offsets;
};

constexpr QuantizedFormat QUANTIZED_FORMATS[] = {
    {8, 32, false}, {8, 64, false},  // 64 is the one we quantise to, 32 that of GGUF's Q8_0
    {4, 32, false}, {4, 64, false}, {4, 128, false}, {4, 32, true}, {4, 64, true}, {4, 128, true},
};
constexpr int QUANTIZED_FORMAT_COUNT = sizeof QUANTIZED_FORMATS / sizeof QUANTIZED_FORMATS[0];

// Activations are quantised in groups of at most 64: channels a thousand times larger than their neighbours are usual.
constexpr int LARGEST_ACTIVATION_GROUP = 64;

static constexpr int activation_group(QuantizedFormat f) {
    return f.group < LARGEST_ACTIVATION_GROUP ? f.group : LARGEST_ACTIVATION_GROUP;
}
static constexpr int64_t group_count(QuantizedFormat f, int64_t inputs) { return (inputs + f.group - 1) / f.group; }
static constexpr int64_t head_bytes(QuantizedFormat f) { return PANEL_OUTPUTS * 2 * (f.offsets ? 2 : 1); }
static constexpr int64_t group_bytes(QuantizedFormat f) {
    return head_bytes(f) + int64_t(PANEL_OUTPUTS) * f.group * f.bits / 8;
}
// The byte, counted from the group's first, that holds input k of the group's output at `lane`.
static constexpr int64_t code_byte(QuantizedFormat f, int64_t k, int64_t lane) {
    return head_bytes(f) + (k / (f.bits == 8 ? 4 : 8) * PANEL_OUTPUTS + lane) * 4 + k % 4;
}
static constexpr int code_shift(QuantizedFormat f, int64_t k) { return f.bits == 4 && k / 4 % 2 ? 4 : 0; }

// Half floats. Both directions go by powers of two, which also gives subnormal numbers; to nearest even. Infinity and NaN
// do not occur: what is stored is bounded by the largest half, 65504.
static inline float half_to_float(uint16_t half) {
    const uint32_t magnitude = uint32_t(half & 0x7FFFu) << 13;
    float value;
    memcpy(&value, &magnitude, sizeof value);
    value *= 0x1p112f;
    return half & 0x8000u ? -value : value;
}
static inline uint16_t float_to_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = uint16_t(bits >> 16 & 0x8000u);
    bits &= 0x7FFFFFFFu;
    float magnitude;
    memcpy(&magnitude, &bits, sizeof magnitude);
    magnitude = (magnitude < 65504.0f ? magnitude : 65504.0f) * 0x1p-112f;
    memcpy(&bits, &magnitude, sizeof bits);
    return uint16_t(sign | (bits + 0xFFFu + (bits >> 13 & 1u)) >> 13);
}

}  // namespace wending
