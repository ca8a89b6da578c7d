// Attention of some query rows (a row is a query head of a token) over one chunk of 64 keys that all of them see.
//
// Scores and weighted values are both products of a few rows with two vectors at a time, each sum one chain of fmadds in
// the order of the dimensions, or of the positions: a row's result cannot depend on the rows beside it.
#pragma once

#include "arguments.h"
#include "each.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

// Floats from one row of queries to the next; not a power of two, lest all rows share a few lines of the cache.
constexpr int QUERY_STRIDE = LARGEST_HEAD_DIM + LANES;
constexpr int CHUNK_GROUPS = ATTENTION_CHUNK / KEY_GROUP;

// The groups of a chunk, and those that are read after them.
struct Chunk {
    const char* keys[CHUNK_GROUPS];
    const char* values[CHUNK_GROUPS];
    const char* next_keys[CHUNK_GROUPS];
    const char* next_values[CHUNK_GROUPS];
    int64_t count;  // keys
    int64_t head_dim;
};

// 16 neighbours of row k of a group from `column` on; BF16 rows stand in pairs.
WENDING_INLINE Vector load_one(const float* group, int64_t k, int64_t column, int64_t width) {
    return load(group + k * width + column);
}
WENDING_INLINE Vector load_one(const uint16_t* group, int64_t k, int64_t column, int64_t width) {
    return load_of_pairs(group + (k / 2 * width + column) * 2, k % 2);
}

// sums[r][v] += a[r * STRIDE + k] * load_vector(v, k), for k from 0 to count - 1.
template <int STRIDE, int ROWS, int VECTORS, class Load>
WENDING_INLINE void multiply_add(const float* a, int64_t count, Vector (&sums)[ROWS][VECTORS], const Load& load_vector) {
    for (int64_t k = 0; k < count; ++k) {
        Vector loaded[VECTORS];
        each<VECTORS>([&](auto v) __attribute__((always_inline)) { loaded[v.value] = load_vector(v, k); });
        each<ROWS>([&](auto r) __attribute__((always_inline)) {
            const Vector x = broadcast(a[r.value * STRIDE + k]);
            each<VECTORS>([&](auto v) __attribute__((always_inline)) {
                sums[r.value][v.value] = fmadd(x, loaded[v.value], sums[r.value][v.value]);
            });
        });
    }
}

// scores[r][j] = query r . key j for the keys of the groups from `group` on.
template <class Code, int ROWS, int GROUPS>
WENDING_INLINE void score_groups(const Chunk& chunk, int group, const float* queries, float* scores) {
    Vector sums[ROWS][GROUPS];
    each<ROWS>([&](auto r) { each<GROUPS>([&](auto g) { sums[r.value][g.value] = zero(); }); });
    const Code* codes[GROUPS];
    const Code* next[GROUPS];
    each<GROUPS>([&](auto g) {
        codes[g.value] = reinterpret_cast<const Code*>(chunk.keys[group + g.value]);
        next[g.value] = reinterpret_cast<const Code*>(chunk.next_keys[group + g.value]);
    });
    const int64_t head_dim = chunk.head_dim;
    if constexpr (sizeof(Code) == 1) {
        for (int64_t first = 0; first < head_dim; first += SCALE_CHANNELS) {
            Vector scales[GROUPS];
            each<GROUPS>([&](auto g) {
                const int64_t at = head_dim * KEY_GROUP + first / SCALE_CHANNELS * KEY_GROUP * 2;
                scales[g.value] = load(reinterpret_cast<const uint16_t*>(codes[g.value] + at));
            });
            const int64_t left = head_dim - first, count = left < SCALE_CHANNELS ? left : SCALE_CHANNELS;
            multiply_add<QUERY_STRIDE>(queries + first, count, sums, [&](auto g, int64_t k) __attribute__((always_inline)) {
                const int64_t at = (first + k) * KEY_GROUP;
                __builtin_prefetch(next[g.value] + at);
                return load(codes[g.value] + at) * scales[g.value];
            });
        }
    } else {
        multiply_add<QUERY_STRIDE>(queries, head_dim, sums, [&](auto g, int64_t k) __attribute__((always_inline)) {
            __builtin_prefetch(next[g.value] + k * KEY_GROUP);
            return load_one(codes[g.value], k, 0, KEY_GROUP);
        });
    }
    each<ROWS>([&](auto r) {
        each<GROUPS>([&](auto g) {
            store(scores + r.value * ATTENTION_CHUNK + (group + g.value) * KEY_GROUP, sums[r.value][g.value]);
        });
    });
}

// rows[r] = rows[r] * kept[r] + the chunk's values, weighted; for VECTORS * 16 dimensions from `first` on.
template <class Code, int ROWS, int VECTORS>
WENDING_INLINE void add_values(const Chunk& chunk, int64_t first, const float* weights, const float* kept, float* rows) {
    const int64_t head_dim = chunk.head_dim, stride = attention_row(head_dim);
    Vector sums[ROWS][VECTORS];
    each<ROWS>([&](auto r) {
        const Vector factor = broadcast(kept[r.value]);
        each<VECTORS>([&](auto v) {
            sums[r.value][v.value] = load(rows + r.value * stride + first + v.value * LANES) * factor;
        });
    });
    for (int64_t group = 0; group * KEY_GROUP < chunk.count; ++group) {
        const int64_t left = chunk.count - group * KEY_GROUP, count = left < KEY_GROUP ? left : KEY_GROUP;
        const Code* codes = reinterpret_cast<const Code*>(chunk.values[group]);
        const Code* next = reinterpret_cast<const Code*>(chunk.next_values[group]) + first;
        const float* weight = weights + group * KEY_GROUP;
        if constexpr (sizeof(Code) == 1) {
            const int64_t scales = scales_of(head_dim);
            const uint16_t* scale = reinterpret_cast<const uint16_t*>(chunk.values[group] + head_dim * KEY_GROUP);
            multiply_add<ATTENTION_CHUNK>(weight, count, sums, [&](auto v, int64_t k) __attribute__((always_inline)) {
                const int64_t channel = first + v.value * LANES;
                __builtin_prefetch(next + k * head_dim + v.value * LANES);
                const uint32_t bits = uint32_t(scale[k * scales + channel / SCALE_CHANNELS]) << 16;
                float factor;
                memcpy(&factor, &bits, sizeof factor);
                return load(codes + k * head_dim + channel) * broadcast(factor);
            });
        } else {
            multiply_add<ATTENTION_CHUNK>(weight, count, sums, [&](auto v, int64_t k) __attribute__((always_inline)) {
                __builtin_prefetch(next + k * head_dim + v.value * LANES);
                return load_one(codes, k, first + v.value * LANES, head_dim);
            });
        }
    }
    each<ROWS>([&](auto r) {
        each<VECTORS>(
            [&](auto v) { store(rows + r.value * stride + first + v.value * LANES, sums[r.value][v.value]); });
    });
}

// The greatest score of each row so far, its change in `kept` as a factor: what the row's sums are to be multiplied with.
// Scores from chunk.count on stand for keys that do not exist.
template <int ROWS>
WENDING_INLINE void find_highest(const Chunk& chunk, float* scores, float* rows, float* highest, float* kept) {
    const int64_t stride = attention_row(chunk.head_dim), maximum = chunk.head_dim + LANES;
    float change[LANES] = {};
    static_assert(ROWS <= LANES);
    for (int r = 0; r < ROWS; ++r) {
        float* score = scores + r * ATTENTION_CHUNK;
        for (int64_t j = chunk.count; j % LANES; ++j) score[j] = -__builtin_inff();
        Vector greatest = load(score);
        for (int64_t j = LANES; j < chunk.count; j += LANES) greatest = greater(greatest, load(score + j));
        const float before = rows[r * stride + maximum], found = greatest_lane(greatest);
        highest[r] = before > found ? before : found;
        change[r] = before - highest[r];
        rows[r * stride + maximum] = highest[r];
    }
    store(kept, exponential(load(change)));
}

// Turns the scores of each row into weights relative to its new maximum, and adds the weights to the row's.
template <int ROWS>
WENDING_INLINE void soften(const Chunk& chunk, float* scores, float* rows, float* kept) {
    const int64_t stride = attention_row(chunk.head_dim), total = chunk.head_dim;
    float highest[LANES];
    find_highest<ROWS>(chunk, scores, rows, highest, kept);
    for (int r = 0; r < ROWS; ++r) {
        float* score = scores + r * ATTENTION_CHUNK;
        const Vector subtracted = broadcast(highest[r]);
        Vector weights = load(rows + r * stride + total) * broadcast(kept[r]);
        for (int64_t j = 0; j < chunk.count; j += LANES) {
            const Vector weight = exponential(load(score + j) - subtracted);
            store(score + j, weight);
            weights = weights + weight;
        }
        store(rows + r * stride + total, weights);
    }
}

// How keys and values are multiplied: widened to float32.
template <class CacheCode>
struct WidenedArithmetic {
    typedef CacheCode Code;  // of the cache
    typedef float Query;     // what the queries are kept as

    WENDING_INLINE void store_query(Query* to, Vector query) { store(to, query); }

    // ROWS rows; the queries QUERY_STRIDE apart, the rows attention_row(head_dim).
    template <int ROWS>
    static __attribute__((noinline)) void attend(const Chunk& chunk, const Query* queries, float* rows) {
        alignas(64) float scores[ROWS * ATTENTION_CHUNK], kept[LANES];
        const int groups = int((chunk.count + KEY_GROUP - 1) / KEY_GROUP);
        int group = 0;
        if constexpr (TILE_HALVES > 1)
            for (; group + TILE_HALVES <= groups; group += TILE_HALVES)
                score_groups<Code, ROWS, TILE_HALVES>(chunk, group, queries, scores);
        for (; group < groups; ++group) score_groups<Code, ROWS, 1>(chunk, group, queries, scores);
        soften<ROWS>(chunk, scores, rows, kept);
        int64_t first = 0;
        if constexpr (TILE_HALVES > 1)
            for (; first + TILE_HALVES * LANES <= chunk.head_dim; first += TILE_HALVES * LANES)
                add_values<Code, ROWS, TILE_HALVES>(chunk, first, scores, kept, rows);
        for (; first < chunk.head_dim; first += LANES) add_values<Code, ROWS, 1>(chunk, first, scores, kept, rows);
    }
};

// `count` rows in tiles as large as the registers allow.
template <class Arithmetic, int ROWS>
WENDING_INLINE void attend_rows(const Chunk& chunk, const typename Arithmetic::Query* queries, float* rows,
                                int64_t count) {
    for (; count >= ROWS; count -= ROWS) {
        Arithmetic::template attend<ROWS>(chunk, queries, rows);
        queries += ROWS * QUERY_STRIDE;
        rows += ROWS * attention_row(chunk.head_dim);
    }
    // Groups of query heads are rarely larger than 8: sizes between that and the largest tile are not worth their code.
    if constexpr (ROWS > 1) attend_rows<Arithmetic, ROWS == 12 ? 8 : ROWS - 1>(chunk, queries, rows, count);
}

}  // namespace WENDING_ISA
}  // namespace wending
