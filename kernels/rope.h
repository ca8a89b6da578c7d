// Rotary positions (Su et al. 2021) in the form of Qwen2: lane i is paired with lane i + head_dim / 2. Rotates the
// queries in place, and writes rotated keys and plain values to their slots in the cache.
#pragma once

#include "arguments.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

WENDING_INLINE void put(uint16_t* p, float x) { *p = to_bfloat16(x); }
WENDING_INLINE void put(float* p, float x) { *p = x; }

// Rotates one head and hands each result to `write(index, value)`.
template <class Write>
WENDING_INLINE void rotate(const float* head, const float* cosine, const float* sine, int64_t half, Write write) {
    for (int64_t i = 0; i < half; ++i) {
        const float a = head[i], b = head[i + half];
        write(i, a * cosine[i] - b * sine[i]);
        write(i + half, b * cosine[i] + a * sine[i]);
    }
}

template <class Cached>
static void rope_and_cache(const RopeArguments& a, int64_t begin, int64_t end) {
    const KeyValueLayer& layer = a.layer;
    const int64_t head_dim = layer.head_dim, half = head_dim / 2;
    for (int64_t token = begin; token < end; ++token) {
        const float* cosine = a.cosine + token * half;
        const float* sine = a.sine + token * half;
        float* query = a.qkv + token * (a.heads + 2 * layer.kv_heads) * head_dim;
        for (int64_t h = 0; h < a.heads; ++h) {
            float* head = query + h * head_dim;
            rotate(head, cosine, sine, half, [=](int64_t i, float x) { head[i] = x; });
        }
        const float* key = query + a.heads * head_dim;
        const float* value = key + layer.kv_heads * head_dim;
        const int64_t block = a.slots[token] / layer.block_size, offset = a.slots[token] % layer.block_size;
        for (int64_t h = 0; h < layer.kv_heads; ++h) {
            const int64_t start = (block * layer.kv_heads + h) * layer.block_size * head_dim;
            Cached* key_lane = static_cast<Cached*>(layer.keys) + start +
                               offset / KEY_GROUP * KEY_GROUP * head_dim + offset % KEY_GROUP;
            rotate(key + h * head_dim, cosine, sine, half,
                   [=](int64_t i, float x) { put(key_lane + i * KEY_GROUP, x); });
            Cached* value_row = static_cast<Cached*>(layer.values) + start + offset * head_dim;
            for (int64_t i = 0; i < head_dim; ++i) put(value_row + i, value[h * head_dim + i]);
        }
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
