// Rotary positions (Su et al. 2021) in the form of Qwen2: lane i is paired with lane i + head_dim / 2. Rotates the
// queries in place, and writes rotated keys and plain values to their slots in the cache.
#pragma once

#include "arguments.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

WENDING_INLINE void rotate(const float* head, const float* cosine, const float* sine, int64_t half, float* out) {
    for (int64_t i = 0; i < half; ++i) {
        const float a = head[i], b = head[i + half];
        out[i] = a * cosine[i] - b * sine[i];
        out[i + half] = b * cosine[i] + a * sine[i];
    }
}

// Puts a key, or a value, at its place in its group: see arguments.h.
WENDING_INLINE void put_key(const float* x, int64_t size, int64_t lane, float* group) {
    for (int64_t i = 0; i < size; ++i) group[i * KEY_GROUP + lane] = x[i];
}
WENDING_INLINE void put_value(const float* x, int64_t size, int64_t lane, float* group) {
    memcpy(group + lane * size, x, size_t(size) * sizeof(float));
}
WENDING_INLINE void put_key(const float* x, int64_t size, int64_t lane, uint16_t* group) {
    for (int64_t i = 0; i < size; ++i) group[(i / 2 * KEY_GROUP + lane) * 2 + i % 2] = to_bfloat16(x[i]);
}
WENDING_INLINE void put_value(const float* x, int64_t size, int64_t lane, uint16_t* group) {
    uint16_t* const at = group + lane / 2 * size * 2 + lane % 2;
    for (int64_t i = 0; i < size; ++i) at[i * 2] = to_bfloat16(x[i]);
}
// To bytes `step` apart, with a scale for each SCALE_CHANNELS, `scale_step` apart.
// The scale of some channels is their largest magnitude / 127, and NaN where one of them is not finite.
WENDING_INLINE void put_bytes(const float* x, int64_t size, int8_t* to, int64_t step, uint16_t* scales,
                              int64_t scale_step) {
    for (int64_t first = 0; first < size; first += SCALE_CHANNELS) {
        const int64_t end = first + SCALE_CHANNELS < size ? first + SCALE_CHANNELS : size;
        Vector largest = zero(), probe = zero();
        for (int64_t i = first; i < end; i += LANES) {
            const Vector value = load(x + i);
            largest = greater(greater(value, zero() - value), largest);
            probe = fmadd(value, zero(), probe);  // becomes NaN where a value is not finite
        }
        const float magnitude = greatest_lane(largest);
        const uint16_t scale = to_bfloat16(magnitude / 127.0f + sum_of_lanes(probe));
        const uint32_t bits = uint32_t(scale) << 16;
        float kept;
        memcpy(&kept, &bits, sizeof kept);
        scales[first / SCALE_CHANNELS * scale_step] = scale;
        const Vector inverse = broadcast(kept > 0 ? 1.0f / kept : 0.0f);
        const Vector rounder = broadcast(12582912.0f);  // 1.5 * 2^23: adding and subtracting it rounds to a whole number
        for (int64_t i = first; i < end; i += LANES) {
            float codes[LANES];
            const Vector whole = (load(x + i) * inverse + rounder) - rounder;
            store(codes, lesser(greater(whole, broadcast(-127.0f)), broadcast(127.0f)));  // NaN becomes -127
            for (int lane = 0; lane < LANES; ++lane) to[(i + lane) * step] = int8_t(codes[lane]);
        }
    }
}
WENDING_INLINE void put_key(const float* x, int64_t size, int64_t lane, int8_t* group) {
    uint16_t* const scales = reinterpret_cast<uint16_t*>(group + KEY_GROUP * size);
    put_bytes(x, size, group + lane, KEY_GROUP, scales + lane, KEY_GROUP);
}
WENDING_INLINE void put_value(const float* x, int64_t size, int64_t lane, int8_t* group) {
    uint16_t* const scales = reinterpret_cast<uint16_t*>(group + KEY_GROUP * size);
    put_bytes(x, size, group + lane * size, 1, scales + lane * scales_of(size), 1);
}

template <class Code>
static void rope_and_cache(const RopeArguments& a, int64_t begin, int64_t end) {
    const KeyValueLayer& layer = a.layer;
    const int64_t head_dim = layer.head_dim, half = head_dim / 2;
    const int64_t group_bytes = cached_group_bytes(head_dim, sizeof(Code)), block_groups = layer.block_size / KEY_GROUP;
    for (int64_t token = begin; token < end; ++token) {
        const float* cosine = a.cosine + token * half;
        const float* sine = a.sine + token * half;
        float* query = a.qkv + token * (a.heads + 2 * layer.kv_heads) * head_dim;
        const float* key = query + a.heads * head_dim;
        const float* value = key + layer.kv_heads * head_dim;
        float rotated[LARGEST_HEAD_DIM];
        for (int64_t h = 0; h < a.heads; ++h, query += head_dim) {
            rotate(query, cosine, sine, half, rotated);
            memcpy(query, rotated, size_t(head_dim) * sizeof(float));
        }
        const int64_t block = a.slots[token] / layer.block_size, offset = a.slots[token] % layer.block_size;
        const int64_t lane = offset % KEY_GROUP;
        for (int64_t h = 0; h < layer.kv_heads; ++h, key += head_dim, value += head_dim) {
            const int64_t at = ((block * layer.kv_heads + h) * block_groups + offset / KEY_GROUP) * group_bytes;
            rotate(key, cosine, sine, half, rotated);
            put_key(rotated, head_dim, lane, reinterpret_cast<Code*>(layer.keys + at));
            put_value(value, head_dim, lane, reinterpret_cast<Code*>(layer.values + at));
        }
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
