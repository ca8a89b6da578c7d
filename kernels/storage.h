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

// Zeroed memory straight from the system, in huge pages where it grants them; touched only as it is used.
class Memory {
public:
    Memory() = default;
    explicit Memory(size_t bytes);
    Memory(Memory&& other) noexcept { swap(other); }
    Memory& operator=(Memory&& other) noexcept {
        swap(other);
        return *this;
    }
    ~Memory();

    void* data() const { return data_; }
    size_t bytes() const { return bytes_; }

private:
    void swap(Memory& other) noexcept;

    void* data_ = nullptr;
    size_t bytes_ = 0;
};

enum class Precision { bfloat16, float32, int8, int4 };  // the first two as in the pairs of KernelTable

Precision precision_named(const std::string& name);
// Bytes of one value; of the unquantised precisions only.
inline size_t bytes_of(Precision precision) { return precision == Precision::bfloat16 ? 2 : 4; }

// Values of a checkpoint as float32: BF16 ones are the upper half of such.
inline float widened(float x) { return x; }
inline float widened(uint16_t x) {
    const uint32_t bits = uint32_t(x) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// Memory that a weight of these sizes takes.
int64_t weight_bytes(int64_t outputs, int64_t inputs, Precision precision, int group, bool offsets);

// A weight matrix in panels (see arguments.h). Several matrices may be stacked in one, to be multiplied at once.
class Weight {
public:
    // `group` inputs share a scale, and an offset if there are `offsets`; both count for int8 and int4 only.
    Weight(int64_t outputs, int64_t inputs, Precision precision, int group = 64, bool offsets = false);

    // Puts `count` rows of `inputs` values at row `first`; the source is converted to this weight's precision.
    // A value that is not finite cannot be quantised: std::invalid_argument.
    void fill(int64_t first, int64_t count, const uint16_t* rows);
    void fill(int64_t first, int64_t count, const float* rows);

    const int64_t outputs, inputs;
    const Precision precision;
    const int format;  // number in QUANTIZED_FORMATS, -1 for bfloat16 and float32
    const int64_t panel_bytes;
    const Memory panels;

private:
    template <class Source>
    void fill_quantized(int64_t first, int64_t count, const Source* rows);
    template <class Stored, class Source>
    void fill_panels(int64_t first, int64_t count, const Source* rows);
    template <class Source>
    void fill_from(int64_t first, int64_t count, const Source* rows);
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

    const int64_t layers, blocks, block_size, kv_heads, head_dim;
    const Precision precision;

private:
    size_t layer_bytes_;
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
};

}  // namespace wending
