// Paged causal attention with grouped queries (Ainslie et al. 2023), prefill and decode alike.
//
// Each token is computed by itself: over the keys 0 to its position in chunks of 64, with running maximum and sum
// (online softmax, Milakov & Gimelshein 2018). The chunks are counted from position 0, so the order of every sum is
// fixed by the position alone. Each key and value that is read serves all query heads of its group.
#pragma once

#include "arguments.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

constexpr int LARGEST_HEAD_DIM = 256;

// Where the keys of a token's sequence are.
template <class Cached>
struct SequenceView {
    const Cached* keys;
    const Cached* values;
    const int32_t* blocks;
    int64_t block_size, block_stride, head_dim;

    // Elements from the start of the head's first block to position p; p is the first of a group of 16.
    int64_t offset(int64_t p) const {
        return blocks[p / block_size] * block_stride + p % block_size * head_dim;
    }
};

// scores[h][j] = query h . key j for the 16 keys at `keys`; the sum goes over the head's dimensions in their order.
template <class Cached, int HEADS>
WENDING_INLINE void score_group(const float* query, const Cached* keys, int64_t head_dim, float* scores) {
    Vector sums[HEADS];
    for (int h = 0; h < HEADS; ++h) sums[h] = zero();
    for (int64_t i = 0; i < head_dim; ++i) {
        const Vector key = load(keys + i * KEY_GROUP);
        for (int h = 0; h < HEADS; ++h) sums[h] = fmadd(broadcast(query[h * head_dim + i]), key, sums[h]);
    }
    for (int h = 0; h < HEADS; ++h) store(scores + h * ATTENTION_CHUNK, sums[h]);
}

// sums[h] = sums[h] * kept[h] + the `count` values of a chunk, weighted by scores[h].
template <class Cached, int HEADS>
WENDING_INLINE void add_values(const SequenceView<Cached>& view, int64_t start, int64_t count, const float* scores,
                               const float* kept, float* sums) {
    for (int64_t i = 0; i < view.head_dim; i += LANES) {
        Vector sum[HEADS];
        for (int h = 0; h < HEADS; ++h) sum[h] = load(sums + h * view.head_dim + i) * broadcast(kept[h]);
        for (int64_t group = 0; group < count; group += KEY_GROUP) {
            const Cached* values = view.values + view.offset(start + group) + i;
            const int64_t in_group = count - group < KEY_GROUP ? count - group : KEY_GROUP;
            for (int64_t j = 0; j < in_group; ++j) {
                const Vector value = load(values + j * view.head_dim);
                for (int h = 0; h < HEADS; ++h)
                    sum[h] = fmadd(broadcast(scores[h * ATTENTION_CHUNK + group + j]), value, sum[h]);
            }
        }
        for (int h = 0; h < HEADS; ++h) store(sums + h * view.head_dim + i, sum[h]);
    }
}

// Turns the scores of one head and chunk into weights relative to the new maximum; returns what the sums so far are
// multiplied with. Scores from `count` on stand for keys that do not exist.
WENDING_INLINE float soften(float* scores, int64_t count, float& maximum, float& total) {
    for (int64_t j = count; j < ATTENTION_CHUNK; ++j) scores[j] = -__builtin_inff();
    Vector highest = broadcast(maximum);
    for (int j = 0; j < ATTENTION_CHUNK; j += LANES) highest = greater(highest, load(scores + j));
    const float new_maximum = greatest_lane(highest);
    Vector weights = zero();
    for (int j = 0; j < ATTENTION_CHUNK; j += LANES) {
        const Vector weight = exponential(load(scores + j) - broadcast(new_maximum));
        store(scores + j, weight);
        weights = weights + weight;
    }
    float kept[LANES];
    store(kept, exponential(broadcast(maximum - new_maximum)));
    total = total * kept[0] + sum_of_lanes(weights);
    maximum = new_maximum;
    return kept[0];
}

// HEADS query heads of one token over one KV head.
template <class Cached, int HEADS>
static void attend(const SequenceView<Cached>& view, const float* query, int64_t position, float scale, float* out) {
    const int64_t head_dim = view.head_dim;
    float scaled[HEADS * LARGEST_HEAD_DIM], scores[HEADS * ATTENTION_CHUNK];
    float maximum[HEADS], total[HEADS], kept[HEADS];
    for (int64_t i = 0; i < HEADS * head_dim; ++i) scaled[i] = query[i] * scale, out[i] = 0.0f;
    for (int h = 0; h < HEADS; ++h) maximum[h] = -__builtin_inff(), total[h] = 0.0f;
    for (int64_t start = 0; start <= position; start += ATTENTION_CHUNK) {
        const int64_t left = position + 1 - start;
        const int64_t count = left < ATTENTION_CHUNK ? left : ATTENTION_CHUNK;
        for (int64_t group = 0; group < count; group += KEY_GROUP)
            score_group<Cached, HEADS>(scaled, view.keys + view.offset(start + group), head_dim, scores + group);
        for (int h = 0; h < HEADS; ++h)
            kept[h] = soften(scores + h * ATTENTION_CHUNK, count, maximum[h], total[h]);
        add_values<Cached, HEADS>(view, start, count, scores, kept, out);
    }
    for (int h = 0; h < HEADS; ++h)
        for (int64_t i = 0; i < head_dim; i += LANES)
            store(out + h * head_dim + i, load(out + h * head_dim + i) / broadcast(total[h]));
}

// The query heads of a group in tiles of at most TILE_HEADS.
template <class Cached, int HEADS>
WENDING_INLINE void attend_group(const SequenceView<Cached>& view, const float* query, int64_t position, float scale,
                                 float* out, int64_t heads) {
    for (; heads >= HEADS; heads -= HEADS) {
        attend<Cached, HEADS>(view, query, position, scale, out);
        query += HEADS * view.head_dim;
        out += HEADS * view.head_dim;
    }
    if constexpr (HEADS > 1) attend_group<Cached, HEADS - 1>(view, query, position, scale, out, heads);
}

template <class Cached>
static void attention(const AttentionArguments& a, int64_t begin, int64_t end) {
    const KeyValueLayer& layer = a.layer;
    const int64_t group = a.heads / layer.kv_heads;
    const int64_t head_stride = layer.block_size * layer.head_dim;
    for (int64_t task = begin; task < end; ++task) {
        const int64_t token = task / layer.kv_heads, kv_head = task % layer.kv_heads;
        const SequenceView<Cached> view = {static_cast<const Cached*>(layer.keys) + kv_head * head_stride,
                                           static_cast<const Cached*>(layer.values) + kv_head * head_stride,
                                           a.block_tables + a.sequence_rows[token] * a.table_width,
                                           layer.block_size,
                                           layer.kv_heads * head_stride,
                                           layer.head_dim};
        const float* query = a.qkv + (token * (a.heads + 2 * layer.kv_heads) + kv_head * group) * layer.head_dim;
        float* out = a.out + (token * a.heads + kv_head * group) * layer.head_dim;
        attend_group<Cached, TILE_HEADS>(view, query, a.positions[token], a.scale, out, group);
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
