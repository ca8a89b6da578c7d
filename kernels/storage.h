// What the operations work on: weights, activations, the key-value cache and the description of a batch. None of them
// knows which instruction set will read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "arguments.h"

namespace wending {

// Zeroed memory straight from the system; touched only as it is used. From `smallest_in_huge_pages` bytes on it stands in huge
// pages where the system grants them, the last of which may be far from full. Activations profit early: of many small
// pages some share their places in a cache, as chance has it.
class Memory {
public:
    static constexpr size_t WEIGHTS_IN_HUGE_PAGES = size_t(4) << 20, ACTIVATIONS_IN_HUGE_PAGES = size_t(256) << 10;

    Memory() = default;
    explicit Memory(size_t bytes, size_t smallest_in_huge_pages = WEIGHTS_IN_HUGE_PAGES);
    Memory(Memory&& other) noexcept { swap(other); }
    Memory& operator=(Memory&& other) noexcept {
        swap(other);
        return *this;
    }
    ~Memory();

    // Memory of someone else, who keeps it alive; it is only read.
    static Memory borrowed(const void* data, size_t bytes);
    bool is_borrowed() const { return data_ && !mapping_; }

    void* data() const { return data_; }
    size_t bytes() const { return bytes_; }

private:
    void swap(Memory& other) noexcept;

    void* data_ = nullptr;
    size_t bytes_ = 0;
    void* mapping_ = nullptr;  // what was asked from the system; null where it is borrowed
    size_t mapped_ = 0;
};

enum class Precision { bfloat16, float32, int8, int4 };  // the first two as in the pairs of KernelTable

Precision precision_named(const std::string& name);
const char* name_of(Precision precision);
// Bytes of one value or code; of int4 there is no such thing.
inline size_t bytes_of(Precision precision) {
    return precision == Precision::int8 ? 1 : precision == Precision::bfloat16 ? 2 : 4;
}

// Values of a checkpoint as float32: BF16 ones are the upper half of such.
inline float widened(float x) { return x; }
inline float widened(uint16_t x) {
    const uint32_t bits = uint32_t(x) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// Memory that a weight of these sizes takes.
int64_t weight_bytes(int64_t outputs, int64_t inputs, Precision precision, int group, bool offsets, bool gated);

// A weight matrix in panels (see arguments.h). Several matrices may be stacked in one, to be multiplied at once.
class Weight {
public:
    // `group` inputs share a scale, and an offset if there are `offsets`; both count for int8 and int4 only. The first half of
    // a `gated` weight's outputs are the gates of the second half (see operations.h); panels of both stand in turn.
    Weight(int64_t outputs, int64_t inputs, Precision precision, int group, bool offsets, bool gated);
    // One whose panels were packed before. They do not depend on the instruction set.
    Weight(int64_t outputs, int64_t inputs, Precision precision, int group, bool offsets, bool gated, Memory panels);

    // Puts `count` rows of `inputs` values at row `first`; the source is converted to this weight's precision.
    // A value that is not finite cannot be quantised: std::invalid_argument.
    void fill(int64_t first, int64_t count, const uint16_t* rows);
    void fill(int64_t first, int64_t count, const float* rows);

    // Puts rows that are quantised already at row `first`, bit for bit: one code for each input; for each group of this
    // weight's format a scale and, if it has offsets, an offset, which are rounded to half floats. Throws
    // std::invalid_argument for a code that has too many bits, and for a scale or offset that is no finite half.
    void fill_codes(int64_t first, int64_t count, const uint8_t* codes, const float* scales, const float* offsets);

    const int64_t outputs, inputs;
    const Precision precision;
    const int format;  // number in QUANTIZED_FORMATS, -1 for bfloat16 and float32
    const bool gated;
    const int64_t panel_bytes, panel_count;
    const Memory panels;

private:
    // Rows of one matrix, counted within it, of which panel p is panel p * step + start of the weight.
    struct Rows {
        int64_t first, count, step, start;
    };
    // Calls put(rows, how many came before) for the matrices that these rows belong to.
    template <class Put>
    void for_each_matrix(int64_t first, int64_t count, const Put& put) const;
    template <class Source>
    void fill_quantized(const Rows& rows, const Source* values);
    void fill_with_codes(const Rows& rows, const uint8_t* codes, const float* scales, const float* offsets);
    template <class Stored, class Source>
    void fill_panels(const Rows& rows, const Source* values);
    template <class Source>
    void fill_from(int64_t first, int64_t count, const Source* values);
};

// A vector of float32: a bias, the weight of a norm.
struct Vector {
    std::vector<float> values;
    int64_t size() const { return int64_t(values.size()); }
};

// Activations: float32 rows of a fixed width; the number of rows changes from batch to batch, the memory only grows.
class Buffer {
public:
    explicit Buffer(int64_t width);
    void resize(int64_t rows);

    float* data() const { return static_cast<float*>(memory_.data()); }
    int64_t rows() const { return rows_; }
    size_t bytes() const { return memory_.bytes(); }

    const int64_t width;

private:
    int64_t rows_ = 0;
    Memory memory_;
};

class KeyValueCache {
public:
    KeyValueCache(int64_t layers, int64_t blocks, int64_t block_size, int64_t kv_heads, int64_t head_dim,
                  Precision precision);
    KeyValueLayer layer(int64_t index) const;
    size_t bytes() const { return keys_.bytes() + values_.bytes(); }

    const int64_t layers, blocks, block_size, kv_heads, head_dim;
    const Precision precision;

private:
    size_t layer_bytes_;  // of the keys, and of the values
    Memory keys_, values_;
};

// The tokens of one forward pass; see ForwardBatch in wending/model/batch.py. Checked against the cache when it is made,
// so that no operation can read or write outside of it.
struct Batch {
    Batch(const KeyValueCache& cache, std::vector<int32_t> token_ids, std::vector<int32_t> positions,
          std::vector<int32_t> slots, std::vector<int32_t> sequence_rows, std::vector<int32_t> block_tables,
          int64_t table_width, std::vector<int32_t> logit_rows);

    int64_t tokens() const { return int64_t(token_ids.size()); }

    const std::vector<int32_t> token_ids, positions, slots, sequence_rows, block_tables;
    const int64_t table_width;
    const std::vector<int32_t> logit_rows;
    const std::vector<AttentionTile> tiles;  // of all tokens, the longest work first
};

}  // namespace wending
