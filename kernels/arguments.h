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

// Keys stand in groups of 16 positions, one a lane: [head_dim][16]; values stand position by position: [head_dim].
constexpr int KEY_GROUP = 16;

// Attention goes over the keys in chunks of 64 positions counted from position 0, whoever asks.
constexpr int ATTENTION_CHUNK = 64;

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

struct LinearArguments {  // a task is a panel
    const float* x;       // [rows][inputs]
    const void* panels;
    const float* bias;      // [outputs] or null
    const float* residual;  // [rows][outputs] or null; may be `out`
    float* out;             // [rows][outputs]
    int64_t rows, inputs, outputs;
};

// Quantised activations stand in blocks of four rows, side by side, so that a tile of rows is read from few places:
// codes [rows / 4][stride / 4][4 rows][4], scales and sums [rows / 4][stride / group][4 rows].
constexpr int ROW_BLOCK = 4;

struct QuantizeArguments {  // a task is a row
    const float* x;         // [rows][size]
    int8_t* codes;
    float* scales;
    float* sums;  // of the codes of a group
    int64_t size, stride, group;
};

struct QuantizedLinearArguments {  // a task is a panel
    LinearArguments linear;        // its x is not read
    const int8_t* codes;           // of x, as above
    const float* scales;
    const float* sums;
    int64_t stride;
};

struct KeyValueLayer {  // one layer of the cache
    void* keys;         // [blocks][kv_heads][block_size / 16][head_dim][16]
    void* values;       // [blocks][kv_heads][block_size][head_dim]
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

struct AttentionArguments {  // a task is one KV head of one token: task = token * kv_heads + kv_head
    const float* qkv;        // as above, rotated
    const int32_t* positions;
    const int32_t* sequence_rows;
    const int32_t* block_tables;
    int64_t table_width;
    KeyValueLayer layer;
    int64_t heads;
    float scale;
    float* out;  // [tokens][heads * head_dim]
};

// Multiplications side by side in each step of the measurement of the peak: enough to hide the latency of each.
constexpr int PEAK_CHAINS = 12;

struct PeakArguments {  // a task is a run of `steps` steps
    int64_t steps;
    int seed;    // 0; a variable, so that nothing can be computed beforehand
    float* out;  // [tasks], lest the work be left out
};

struct SwigluArguments {   // a task is a row
    const float* gate_up;  // [rows][2 * size]: gate, then up
    float* out;            // [rows][size]
    int64_t size;
};

}  // namespace wending
