// Attention of some query rows over one chunk of 64 keys by the processor's dot product of BF16 pairs: queries and weights
// are rounded to BF16 as keys and values are; products are exact, sums float32. For AVX-512 only.
//
// Each sum is one chain over the pairs of dimensions, or of positions, in their order, as in attention_tile.h. Of an odd
// number of positions the last one's partner is taken for zero, whatever stands there.
#pragma once

#include "attention_tile.h"
#include "pair_vector.h"

#if defined(__AVX512F__)

namespace wending {
namespace WENDING_ISA {

// e to the power of (score - highest), for weights that are rounded to BF16: 2^n times a polynomial of degree 4 in the rest,
// whose relative error is below 3e-6. `negative_highest` is -highest / ln 2. NaN stays NaN.
WENDING_INLINE Vector weight_of_score(Vector score, Vector negative_highest) {
    const Vector wanted = fmadd(score, broadcast(1.44269504f), negative_highest);
    const Vector x = greater(broadcast(-200.0f), wanted);  // there the result is zero
    const Vector n = {_mm512_roundscale_ps(x.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
    const Vector r = x - n;
    Vector p = broadcast(9.5828529e-3f);
    p = fmadd(p, r, broadcast(5.5906426e-2f));
    p = fmadd(p, r, broadcast(0.24024099f));
    p = fmadd(p, r, broadcast(0.69312418f));
    p = fmadd(p, r, broadcast(1.0f));
    return {_mm512_scalef_ps(p.value, n.value)};
}

// scores[r][j] = query r . key j for the keys of the groups from `group` on.
template <int ROWS, int GROUPS>
WENDING_INLINE void score_pairs(const Chunk& chunk, int group, const uint16_t* queries, float* scores) {
    const char* keys[GROUPS];
    const char* next[GROUPS];
    Vector sums[ROWS][GROUPS];
    WENDING_UNROLL
    for (int g = 0; g < GROUPS; ++g) {
        keys[g] = chunk.keys[group + g];
        next[g] = chunk.next_keys[group + g];
        WENDING_UNROLL
        for (int r = 0; r < ROWS; ++r) sums[r][g] = zero();
    }
    for (int64_t k = 0; k < chunk.head_dim; k += 2) {
        __m512i loaded[GROUPS];
        WENDING_UNROLL
        for (int g = 0; g < GROUPS; ++g) {
            loaded[g] = _mm512_loadu_si512(keys[g] + k * KEY_GROUP * 2);
            __builtin_prefetch(next[g] + k * KEY_GROUP * 2);
        }
        WENDING_UNROLL
        for (int r = 0; r < ROWS; ++r) {
            const __m512i query = broadcast_pair(queries + r * QUERY_STRIDE + k);
            WENDING_UNROLL
            for (int g = 0; g < GROUPS; ++g) sums[r][g] = dot_pairs(sums[r][g], loaded[g], query);
        }
    }
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r)
        WENDING_UNROLL
        for (int g = 0; g < GROUPS; ++g) store(scores + r * ATTENTION_CHUNK + (group + g) * KEY_GROUP, sums[r][g]);
}

// rows[r] = rows[r] * kept[r] + the chunk's values, weighted; for VECTORS * 16 dimensions from `first` on.
template <int ROWS, int VECTORS>
WENDING_INLINE void add_value_pairs(const Chunk& chunk, int64_t first, const uint16_t* weights, const float* kept,
                                    float* rows) {
    const int64_t head_dim = chunk.head_dim, stride = attention_row(head_dim);
    Vector sums[ROWS][VECTORS];
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r) {
        WENDING_UNROLL
        for (int v = 0; v < VECTORS; ++v)
            sums[r][v] = load(rows + r * stride + first + v * LANES) * broadcast(kept[r]);
    }
    for (int64_t position = 0; position < chunk.count; position += 2) {
        const int64_t group = position / KEY_GROUP, at = position % KEY_GROUP * head_dim * 2 + first * 4;
        const __m512i existing = _mm512_set1_epi32(position + 1 < chunk.count ? -1 : 0xFFFF);
        __m512i loaded[VECTORS];
        WENDING_UNROLL
        for (int v = 0; v < VECTORS; ++v) {
            loaded[v] = _mm512_and_si512(_mm512_loadu_si512(chunk.values[group] + at + v * LANES * 4), existing);
            __builtin_prefetch(chunk.next_values[group] + at + v * LANES * 4);
        }
        WENDING_UNROLL
        for (int r = 0; r < ROWS; ++r) {
            const __m512i weight = broadcast_pair(weights + r * ATTENTION_CHUNK + position);
            WENDING_UNROLL
            for (int v = 0; v < VECTORS; ++v) sums[r][v] = dot_pairs(sums[r][v], loaded[v], weight);
        }
    }
    WENDING_UNROLL
    for (int r = 0; r < ROWS; ++r)
        WENDING_UNROLL
        for (int v = 0; v < VECTORS; ++v) store(rows + r * stride + first + v * LANES, sums[r][v]);
}

// As `soften` in attention_tile.h; the weights become BF16.
template <int ROWS>
WENDING_INLINE void soften_pairs(const Chunk& chunk, float* scores, uint16_t* weights, float* rows, float* kept) {
    const int64_t stride = attention_row(chunk.head_dim), total = chunk.head_dim;
    float highest[LANES];
    find_highest<ROWS>(chunk, scores, rows, highest, kept);
    for (int r = 0; r < ROWS; ++r) {
        const float* score = scores + r * ATTENTION_CHUNK;
        const Vector negative_highest = broadcast(highest[r] * -1.44269504f);
        Vector sum = load(rows + r * stride + total) * broadcast(kept[r]);
        for (int64_t j = 0; j < chunk.count; j += LANES) {
            const Vector weight = weight_of_score(load(score + j), negative_highest);
            store_bfloat16(weights + r * ATTENTION_CHUNK + j, weight);
            sum = sum + weight;
        }
        store(rows + r * stride + total, sum);
    }
}

// How BF16 keys and values are multiplied: pair by pair. See WidenedArithmetic.
struct PairArithmetic {
    typedef uint16_t Code;
    typedef uint16_t Query;

    WENDING_INLINE void store_query(Query* to, Vector query) { store_bfloat16(to, query); }

    template <int ROWS>
    static __attribute__((noinline)) void attend(const Chunk& chunk, const Query* queries, float* rows) {
        alignas(64) float scores[ROWS * ATTENTION_CHUNK], kept[LANES];
        alignas(64) uint16_t weights[ROWS * ATTENTION_CHUNK];
        const int groups = int((chunk.count + KEY_GROUP - 1) / KEY_GROUP);
        int group = 0;
        for (; group + 2 <= groups; group += 2) score_pairs<ROWS, 2>(chunk, group, queries, scores);
        if (group < groups) score_pairs<ROWS, 1>(chunk, group, queries, scores);
        soften_pairs<ROWS>(chunk, scores, weights, rows, kept);
        int64_t first = 0;
        for (; first + 2 * LANES <= chunk.head_dim; first += 2 * LANES)
            add_value_pairs<ROWS, 2>(chunk, first, weights, kept, rows);
        if (first < chunk.head_dim) add_value_pairs<ROWS, 1>(chunk, first, weights, kept, rows);
    }
};

}  // namespace WENDING_ISA
}  // namespace wending

#endif
