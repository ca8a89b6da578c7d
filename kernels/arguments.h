// What the kernels are told: plain pointers and sizes, checked by their callers. All matrices are row by row.
//
// Each kernel does the tasks from `begin` to `end` of its work; what a task is stands with its arguments. Tasks are
// independent and may run in any order on any thread, and none of them changes how another rounds: so results do not
// depend on the number of threads.
#pragma once

#include <cstdint>

namespace wending {

// Weights stand in panels of 32 outputs, the last filled up with zeros. Within a panel, pairs of inputs follow each
// other (an odd last input is paired with zero): BF16 [inputs / 2][32 outputs][2], float32 [inputs / 2][2][32 outputs].
constexpr int PANEL_OUTPUTS = 32;

// The cache keeps the keys, and the values, of a head in groups of 16 positions. Keys stand one position a lane, values
// position by position: [head_dim][16] and [16][head_dim] in float32; pair by pair in BF16, as the dot product of pairs
// wants them: [head_dim / 2][16][2] and [16 / 2][head_dim][2]. In 8 bits they stand as in float32, at most 32 channels of a
// position share a BF16 scale, and the scales follow the group's codes: [head_dim / 32][16] and [16][head_dim / 32].
constexpr int KEY_GROUP = 16, SCALE_CHANNELS = 32;
static constexpr int64_t scales_of(int64_t head_dim) { return (head_dim + SCALE_CHANNELS - 1) / SCALE_CHANNELS; }
static constexpr int64_t cached_group_bytes(int64_t head_dim, int64_t code_bytes) {
    return KEY_GROUP * (head_dim * code_bytes + (code_bytes == 1 ? 2 * scales_of(head_dim) : 0));
}
constexpr int LARGEST_HEAD_DIM = 256;

// Attention goes over the keys in chunks of 64 positions, and adds up the chunks of 512 positions before it adds those to
// what came before. Both are counted from position 0, whoever asks.
constexpr int ATTENTION_CHUNK = 64, ATTENTION_SEGMENT = 512;

// Tokens of one sequence that are computed together, at most; their positions ascend.
constexpr int ATTENTION_TILE_TOKENS = 12;
struct AttentionTile {
    int32_t first, count;  // tokens of the batch
    int32_t segments;      // that the last of them looks at
};

// What a query head keeps of the keys it has seen: weighted sum of the values, sum of the weights in 16 lanes, and the
// greatest score (and 15 floats unused). Sums and weights are relative to that score.
static constexpr int64_t attention_row(int64_t head_dim) { return head_dim + 32; }

struct EmbedArguments {  // a task is a token
    const void* panels;
    const int32_t* token_ids;
    float* out;  // [tokens][size]
    int64_t size;
};

struct RmsNormArguments {  // a task is a row
    const float* x;        // [rows][size]
    const float* weight;   // [size]
    float* out;            // [rows][size]
    int64_t size;
    float epsilon;
};

struct LinearArguments {  // a task is a panel; where they are gated, parts begin and end between pairs of them
    const float* x;       // [rows][inputs]
    const void* panels;
    const float* bias;      // [outputs] or null
    const float* residual;  // [rows][outputs] or null; may be `out`
    float* out;             // [rows][outputs]
    int64_t rows, inputs, outputs;
    bool gated;  // panels with the gates of `outputs` and panels with the outputs stand in turn; see store_tile.h
};

// Activations that are made smaller stand tile by tile, the rows of a tile side by side, so that it is read from one place.
// Rows are cut into as few tiles as can be, of at most so many rows and as equal as can be. Those of a tile of `width`
// rows from row `begin` on: pairs of BF16 from begin * stride on, [stride / 2][width][2]; bytes from there on,
// [stride / 4][width][4]; what goes with a group of bytes from begin * groups on, [groups][width].
constexpr int PAIR_TILE_ROWS = 12, QUANTIZED_TILE_ROWS = 6;
static constexpr int64_t row_tiles(int64_t rows, int64_t most) { return (rows + most - 1) / most; }
static constexpr int64_t row_tile_begin(int64_t rows, int64_t most, int64_t tile) {
    return rows * tile / row_tiles(rows, most);
}

constexpr int ROUNDED_AT_ONCE = 16;  // the stride of BF16 pairs is a multiple of it

struct RoundArguments {  // a task is a tile of rows
    const float* x;      // [rows][size]
    uint16_t* pairs;
    int64_t rows, size, stride;
};

struct PairLinearArguments {  // a task is a panel
    LinearArguments linear;   // its x is not read
    const uint16_t* pairs;    // of x, as above
    int64_t stride;
};

struct QuantizeArguments {  // a task is a tile of rows
    const float* x;         // [rows][size]
    int8_t* codes;
    float* scales;
    int32_t* starts;       // where the sum of a group begins, so that it ends right though codes of weights are unsigned
    float* negative_sums;  // -(scale * sum of the codes): what the offset of a group of weights is multiplied with
    int64_t rows, size, stride;
    int format;  // of the weights
};

struct QuantizedLinearArguments {  // a task is a panel
    LinearArguments linear;        // its x is not read
    const int8_t* codes;           // of x, as above
    const float* scales;
    const int32_t* starts;
    const float* negative_sums;
    int64_t stride;
};

struct KeyValueLayer {  // one layer of the cache
    char* keys;         // [blocks][kv_heads][block_size / 16] groups
    char* values;       // the same
    int64_t block_size, kv_heads, head_dim;
};

struct RopeArguments {    // a task is a token
    float* qkv;           // [tokens][(heads + 2 * kv_heads) * head_dim]; the queries are rotated in place
    const float* cosine;  // [tokens][head_dim / 2]
    const float* sine;
    const int32_t* slots;
    KeyValueLayer layer;
    int64_t heads;
};

// Of `attention` and `merge_attention` a task is one KV head of a tile, of `attention_segment` one segment of that:
// task = (tile * kv_heads + kv_head) * segments + segment.
struct AttentionArguments {
    const float* qkv;  // as above, rotated
    const int32_t* positions;
    const int32_t* sequence_rows;
    const int32_t* block_tables;
    int64_t table_width;
    const AttentionTile* tiles;
    KeyValueLayer layer;
    int64_t heads;
    float scale;
    float* out;  // [tokens][heads * head_dim]
    // Between `attention_segment` and `merge_attention`: [tiles][kv_heads][segments][tile_rows] attention rows.
    float* parts;
    int64_t segments, tile_rows;
};

// Sampling takes maxima and sums over blocks of so many tokens.
constexpr int64_t SAMPLE_BLOCK = 512;

// Multiplications side by side in each step of the measurement of the peak: enough to hide the latency of each.
constexpr int PEAK_CHAINS = 12;

struct PeakArguments {  // a task is a run of `steps` steps
    int64_t steps;
    int seed;    // 0; a variable, so that nothing can be computed beforehand
    float* out;  // [tasks], lest the work be left out
};

}  // namespace wending
