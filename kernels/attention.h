// Paged causal attention with grouped queries (Ainslie et al. 2023), prefill and decode alike.
//
// Tokens of a sequence that follow each other are computed together, over the keys 0 to their positions in chunks of 64,
// with running maximum and sum (online softmax, Milakov & Gimelshein 2018). Segments of 512 positions are added up by
// themselves and then merged, in their order. Chunks and segments are counted from position 0 and a token sees no key
// behind its own, not even masked: so the order of every sum is fixed by the token's position alone, and the segments of a
// long context may be computed on several threads. Each key and value that is read serves all query heads of its group.
#pragma once

#include "attention_tile.h"

namespace wending {
namespace WENDING_ISA {

// Query heads of a group that are computed together, at most.
constexpr int SLICE_HEADS = 8, SLICE_ROWS = SLICE_HEADS * ATTENTION_TILE_TOKENS;

// One KV head of a tile of tokens: where its keys and values are, and who looks at them.
template <class Arithmetic>
class AttentionTask {
public:
    typedef typename Arithmetic::Query Query;

    AttentionTask(const AttentionArguments& arguments, int64_t task)
        : a(arguments),
          layer(a.layer),
          head_dim(layer.head_dim),
          group_heads(a.heads / layer.kv_heads),
          kv_head(task % layer.kv_heads),
          tile(a.tiles[task / layer.kv_heads]),
          positions(a.positions + tile.first),
          blocks(a.block_tables + a.sequence_rows[tile.first] * a.table_width) {}

    // The scaled queries of `heads` heads from `head` on, token by token.
    void load_queries(int64_t head, int64_t heads, Query* queries) const {
        for (int64_t token = 0; token < tile.count; ++token) {
            const float* from = a.qkv + ((tile.first + token) * (a.heads + 2 * layer.kv_heads) + kv_head * group_heads +
                                         head) * head_dim;
            for (int64_t h = 0; h < heads; ++h, from += head_dim, queries += QUERY_STRIDE)
                for (int64_t i = 0; i < head_dim; i += LANES)
                    Arithmetic::store_query(queries + i, load(from + i) * broadcast(a.scale));
        }
    }

    // What the queries find in one segment. A row that sees none of its keys is left as one that has seen nothing.
    void attend(const Query* queries, int64_t heads, int64_t segment, float* rows) const {
        const int64_t stride = attention_row(head_dim), begin = segment * ATTENTION_SEGMENT;
        const int64_t last = positions[tile.count - 1];
        const int64_t end = last + 1 < begin + ATTENTION_SEGMENT ? last + 1 : begin + ATTENTION_SEGMENT;
        for (int64_t r = 0; r < tile.count * heads; ++r) {
            for (int64_t i = 0; i < head_dim + LANES; i += LANES) store(rows + r * stride + i, zero());
            rows[r * stride + head_dim + LANES] = -__builtin_inff();
        }
        Chunk chunk{};
        chunk.head_dim = head_dim;
        find_groups(begin, end, chunk);
        for (int64_t start = begin; start < end; start += ATTENTION_CHUNK) {
            for (int g = 0; g < CHUNK_GROUPS; ++g) {
                chunk.keys[g] = chunk.next_keys[g];
                chunk.values[g] = chunk.next_values[g];
            }
            if (start + ATTENTION_CHUNK < end) find_groups(start + ATTENTION_CHUNK, end, chunk);
            int64_t token = 0;  // those whose context ends within the chunk go one by one
            for (; token < tile.count && positions[token] < start + ATTENTION_CHUNK - 1; ++token) {
                if (positions[token] < start) continue;
                chunk.count = positions[token] + 1 - start;
                attend_rows<Arithmetic, TILE_ROWS>(chunk, queries + token * heads * QUERY_STRIDE,
                                                   rows + token * heads * stride, heads);
            }
            chunk.count = ATTENTION_CHUNK;
            attend_rows<Arithmetic, TILE_ROWS>(chunk, queries + token * heads * QUERY_STRIDE,
                                               rows + token * heads * stride, (tile.count - token) * heads);
        }
    }

    // Adds what a later segment found to what the ones before it did.
    void merge(float* rows, const float* later, int64_t heads, int64_t segment) const {
        const int64_t stride = attention_row(head_dim), maximum = head_dim + LANES;
        for (int64_t token = 0; token < tile.count; ++token) {
            if (positions[token] < segment * ATTENTION_SEGMENT) continue;
            for (int64_t r = token * heads; r < (token + 1) * heads; ++r) {
                float* row = rows + r * stride;
                const float* added = later + r * stride;
                const float highest = row[maximum] > added[maximum] ? row[maximum] : added[maximum];
                const Vector kept = exponential(broadcast(row[maximum] - highest));
                const Vector taken = exponential(broadcast(added[maximum] - highest));
                for (int64_t i = 0; i < maximum; i += LANES)
                    store(row + i, fmadd(load(added + i), taken, load(row + i) * kept));
                row[maximum] = highest;
            }
        }
    }

    // The attention of `heads` heads from `head` on, once all segments are in their rows.
    void finish(const float* rows, int64_t head, int64_t heads) const {
        for (int64_t token = 0; token < tile.count; ++token) {
            float* out = a.out + ((tile.first + token) * a.heads + kv_head * group_heads + head) * head_dim;
            for (int64_t h = 0; h < heads; ++h, out += head_dim, rows += attention_row(head_dim)) {
                const Vector total = broadcast(sum_of_lanes(load(rows + head_dim)));
                for (int64_t i = 0; i < head_dim; i += LANES) store(out + i, load(rows + i) / total);
            }
        }
    }

    // Calls body(first head, number of heads, rows before them) for slices of the group.
    template <class Body>
    void for_each_slice(const Body& body) const {
        for (int64_t head = 0; head < group_heads; head += SLICE_HEADS) {
            const int64_t left = group_heads - head;
            body(head, left < SLICE_HEADS ? left : SLICE_HEADS, head * tile.count);
        }
    }

    const AttentionArguments& a;
    const KeyValueLayer& layer;
    const int64_t head_dim, group_heads, kv_head;
    const AttentionTile tile;

private:
    // Where the groups of the chunk at `start` are, as far as they hold keys before `end`.
    void find_groups(int64_t start, int64_t end, Chunk& chunk) const {
        const int64_t bytes = cached_group_bytes(head_dim, sizeof(typename Arithmetic::Code));
        const int64_t block_groups = layer.block_size / KEY_GROUP;
        for (int g = 0; g < CHUNK_GROUPS && start + g * KEY_GROUP < end; ++g) {
            const int64_t position = start + g * KEY_GROUP;
            const int64_t block = blocks[position / layer.block_size] * layer.kv_heads + kv_head;
            const int64_t at = (block * block_groups + position % layer.block_size / KEY_GROUP) * bytes;
            chunk.next_keys[g] = layer.keys + at;
            chunk.next_values[g] = layer.values + at;
        }
    }

    const int32_t* const positions;
    const int32_t* const blocks;
};

template <class Arithmetic>
static void attention(const AttentionArguments& a, int64_t begin, int64_t end) {
    alignas(64) typename Arithmetic::Query queries[SLICE_ROWS * QUERY_STRIDE];
    alignas(64) float rows[SLICE_ROWS * attention_row(LARGEST_HEAD_DIM)];
    alignas(64) float later[SLICE_ROWS * attention_row(LARGEST_HEAD_DIM)];
    for (int64_t index = begin; index < end; ++index) {
        const AttentionTask<Arithmetic> task(a, index);
        task.for_each_slice([&](int64_t head, int64_t heads, int64_t) {
            task.load_queries(head, heads, queries);
            task.attend(queries, heads, 0, rows);
            for (int64_t segment = 1; segment < task.tile.segments; ++segment) {
                task.attend(queries, heads, segment, later);
                task.merge(rows, later, heads, segment);
            }
            task.finish(rows, head, heads);
        });
    }
}

// Where a segment's rows of a KV head of a tile are.
WENDING_INLINE float* part_of(const AttentionArguments& a, int64_t task, int64_t segment) {
    return a.parts + (task * a.segments + segment) * a.tile_rows * attention_row(a.layer.head_dim);
}

template <class Arithmetic>
static void attention_segment(const AttentionArguments& a, int64_t begin, int64_t end) {
    alignas(64) typename Arithmetic::Query queries[SLICE_ROWS * QUERY_STRIDE];
    for (int64_t index = begin; index < end; ++index) {
        const int64_t segment = index % a.segments;
        const AttentionTask<Arithmetic> task(a, index / a.segments);
        if (segment >= task.tile.segments) continue;
        float* rows = part_of(a, index / a.segments, segment);
        task.for_each_slice([&](int64_t head, int64_t heads, int64_t before) {
            task.load_queries(head, heads, queries);
            task.attend(queries, heads, segment, rows + before * attention_row(task.head_dim));
        });
    }
}

// Merges what attention_segment found, in the order in which `attention` does.
static void merge_attention(const AttentionArguments& a, int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
        const AttentionTask<WidenedArithmetic<float>> task(a, index);
        task.for_each_slice([&](int64_t head, int64_t heads, int64_t before) {
            const int64_t at = before * attention_row(task.head_dim);
            float* rows = part_of(a, index, 0) + at;
            for (int64_t segment = 1; segment < task.tile.segments; ++segment)
                task.merge(rows, part_of(a, index, segment) + at, heads, segment);
            task.finish(rows, head, heads);
        });
    }
}

}  // namespace WENDING_ISA
}  // namespace wending
