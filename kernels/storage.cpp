#include "storage.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "quantized_format.h"
#include "thread_pool.h"

namespace wending {
namespace {

constexpr size_t HUGE_PAGE = size_t(2) << 20;

[[noreturn]] void refuse(const std::string& message) { throw std::invalid_argument(message); }

void convert(uint16_t x, uint16_t& out) { out = x; }
void convert(float x, float& out) { out = x; }
void convert(uint16_t x, float& out) { out = widened(x); }
void convert(float x, uint16_t& out) {  // to nearest even; NaN stays NaN
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    const bool nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
    out = uint16_t(nan ? (bits >> 16) | 0x40u : (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

// Where input k of the output at `lane` stands in its panel.
template <class Stored>
int64_t place(int64_t k, int64_t lane) {
    return sizeof(Stored) == 2 ? (k / 2 * PANEL_OUTPUTS + lane) * 2 + k % 2 : k * PANEL_OUTPUTS + lane;
}

int64_t positive(const char* name, int64_t value) {
    if (value <= 0) refuse(std::string(name) + " must be positive, is " + std::to_string(value));
    return value;
}

int format_number(Precision precision, int group, bool offsets) {
    if (precision != Precision::int8 && precision != Precision::int4) return -1;
    const int bits = precision == Precision::int8 ? 8 : 4;
    for (int i = 0; i < QUANTIZED_FORMAT_COUNT; ++i) {
        const QuantizedFormat& format = QUANTIZED_FORMATS[i];
        if (format.bits == bits && format.group == group && format.offsets == offsets) return i;
    }
    refuse("there is no int" + std::to_string(bits) + " with groups of " + std::to_string(group) +
           (offsets ? " and offsets" : ""));
}

// Tokens that follow each other in a sequence, a few at a time.
std::vector<AttentionTile> attention_tiles(const std::vector<int32_t>& positions,
                                           const std::vector<int32_t>& sequence_rows) {
    std::vector<AttentionTile> tiles;
    for (size_t i = 0; i < std::min(positions.size(), sequence_rows.size()); ++i) {
        const bool follows = i > 0 && sequence_rows[i] == sequence_rows[i - 1] && positions[i] > positions[i - 1];
        if (!follows || tiles.back().count == ATTENTION_TILE_TOKENS) tiles.push_back({int32_t(i), 0, 0});
        ++tiles.back().count;
        tiles.back().segments = positions[i] / ATTENTION_SEGMENT + 1;
    }
    const auto work = [&](const AttentionTile& tile) {
        return int64_t(tile.count) * (positions[size_t(tile.first + tile.count - 1)] + 1);
    };
    std::stable_sort(tiles.begin(), tiles.end(),
                     [&](const AttentionTile& a, const AttentionTile& b) { return work(a) > work(b); });
    return tiles;
}

int64_t panels_of(int64_t outputs) { return (outputs + PANEL_OUTPUTS - 1) / PANEL_OUTPUTS; }
int64_t panels_of(int64_t outputs, bool gated) {
    if (gated && outputs % 2) refuse("a gated weight has an even number of outputs, not " + std::to_string(outputs));
    return gated ? 2 * panels_of(outputs / 2) : panels_of(outputs);
}
int64_t panel_size(int64_t inputs) { return (inputs + inputs % 2) * PANEL_OUTPUTS; }

int64_t bytes_of_panel(int64_t inputs, Precision precision, int format) {
    if (format < 0) return panel_size(inputs) * int64_t(bytes_of(precision));
    return group_count(QUANTIZED_FORMATS[format], inputs) * group_bytes(QUANTIZED_FORMATS[format]);
}

}  // namespace

int64_t weight_bytes(int64_t outputs, int64_t inputs, Precision precision, int group, bool offsets, bool gated) {
    return panels_of(positive("outputs", outputs), gated) *
           bytes_of_panel(positive("inputs", inputs), precision, format_number(precision, group, offsets));
}

Precision precision_named(const std::string& name) {
    if (name == "bfloat16") return Precision::bfloat16;
    if (name == "float32") return Precision::float32;
    if (name == "int8") return Precision::int8;
    if (name == "int4") return Precision::int4;
    refuse("precision must be bfloat16, float32, int8 or int4, is " + name);
}

const char* name_of(Precision precision) {
    switch (precision) {
        case Precision::bfloat16: return "bfloat16";
        case Precision::float32: return "float32";
        case Precision::int8: return "int8";
        case Precision::int4: return "int4";
    }
    return "";
}

Memory::Memory(size_t bytes, size_t smallest_in_huge_pages) : bytes_(bytes) {
    if (bytes == 0) return;
    const bool huge = bytes >= smallest_in_huge_pages;
    mapped_ = huge ? (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE + HUGE_PAGE : bytes;
    mapping_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping_ == MAP_FAILED) {
        mapping_ = nullptr;
        throw std::bad_alloc();
    }
    data_ = mapping_;
    if (huge) {
        data_ = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(mapping_) + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
#ifdef MADV_HUGEPAGE
        madvise(data_, mapped_ - HUGE_PAGE, MADV_HUGEPAGE);
#endif
    }
}

Memory::~Memory() {
    if (mapping_) munmap(mapping_, mapped_);
}

Memory Memory::borrowed(const void* data, size_t bytes) {
    Memory memory;
    memory.data_ = const_cast<void*>(data);
    memory.bytes_ = bytes;
    return memory;
}

void Memory::swap(Memory& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(mapping_, other.mapping_);
    std::swap(mapped_, other.mapped_);
}

Weight::Weight(int64_t outputs_, int64_t inputs_, Precision precision_, int group, bool offsets, bool gated_)
    : Weight(outputs_, inputs_, precision_, group, offsets, gated_,
             Memory(size_t(weight_bytes(outputs_, inputs_, precision_, group, offsets, gated_)))) {}

Weight::Weight(int64_t outputs_, int64_t inputs_, Precision precision_, int group, bool offsets, bool gated_,
               Memory panels_)
    : outputs(positive("outputs", outputs_)),
      inputs(positive("inputs", inputs_)),
      precision(precision_),
      format(format_number(precision, group, offsets)),
      gated(gated_),
      panel_bytes(bytes_of_panel(inputs, precision, format)),
      panel_count(panels_of(outputs, gated)),
      panels(std::move(panels_)) {
    const int64_t needed = panel_count * panel_bytes;
    if (int64_t(panels.bytes()) != needed)
        refuse("the panels of this weight take " + std::to_string(needed) + " bytes, not " +
               std::to_string(panels.bytes()));
}

template <class Stored, class Source>
void Weight::fill_panels(const Rows& rows, const Source* values) {
    Stored* const all = static_cast<Stored*>(panels.data());
    const int64_t first_panel = rows.first / PANEL_OUTPUTS, last = rows.first + rows.count;
    ThreadPool::shared().run(panels_of(last) - first_panel, 1, [&](int64_t begin, int64_t end) {
        for (int64_t panel = first_panel + begin; panel < first_panel + end; ++panel) {
            Stored* const out = all + (panel * rows.step + rows.start) * panel_size(inputs);
            const int64_t from = std::max(rows.first, panel * PANEL_OUTPUTS);
            const int64_t to = std::min(last, (panel + 1) * PANEL_OUTPUTS);
            for (int64_t k = 0; k < inputs; ++k)
                for (int64_t row = from; row < to; ++row)
                    convert(values[(row - rows.first) * inputs + k], out[place<Stored>(k, row % PANEL_OUTPUTS)]);
        }
    });
}

template <class Put>
void Weight::for_each_matrix(int64_t first, int64_t count, const Put& put) const {
    if (first < 0 || count < 0 || first + count > outputs)
        refuse("rows " + std::to_string(first) + " to " + std::to_string(first + count) + " do not fit a weight of " +
               std::to_string(outputs) + " outputs");
    if (panels.is_borrowed()) refuse("a weight over panels that were packed before cannot be filled");
    const int64_t matrices = gated ? 2 : 1, size = outputs / matrices;
    for (int64_t matrix = 0; matrix < matrices; ++matrix) {
        const int64_t from = std::max(first, matrix * size), to = std::min(first + count, (matrix + 1) * size);
        if (from < to) put(Rows{from - matrix * size, to - from, matrices, matrix}, from - first);
    }
}

template <class Source>
void Weight::fill_from(int64_t first, int64_t count, const Source* values) {
    for_each_matrix(first, count, [&](const Rows& rows, int64_t before) {
        const Source* const from = values + before * inputs;
        if (format >= 0)
            fill_quantized(rows, from);
        else if (precision == Precision::bfloat16)
            fill_panels<uint16_t>(rows, from);
        else
            fill_panels<float>(rows, from);
    });
}

void Weight::fill(int64_t first, int64_t count, const uint16_t* rows) { fill_from(first, count, rows); }
void Weight::fill(int64_t first, int64_t count, const float* rows) { fill_from(first, count, rows); }

void Weight::fill_codes(int64_t first, int64_t count, const uint8_t* codes, const float* scales, const float* offsets) {
    const int64_t groups = group_count(QUANTIZED_FORMATS[format], inputs);
    for_each_matrix(first, count, [&](const Rows& rows, int64_t before) {
        fill_with_codes(rows, codes + before * inputs, scales + before * groups,
                        offsets ? offsets + before * groups : nullptr);
    });
}

Buffer::Buffer(int64_t width_) : width(positive("width", width_)) {}

void Buffer::resize(int64_t rows) {
    const size_t needed = size_t(rows * width) * sizeof(float);
    if (needed > memory_.bytes()) memory_ = Memory(needed, Memory::ACTIVATIONS_IN_HUGE_PAGES);
    rows_ = rows;
}

KeyValueCache::KeyValueCache(int64_t layers_, int64_t blocks_, int64_t block_size_, int64_t kv_heads_,
                             int64_t head_dim_, Precision precision_)
    : layers(positive("layers", layers_)),
      blocks(positive("blocks", blocks_)),
      block_size(positive("block_size", block_size_)),
      kv_heads(positive("kv_heads", kv_heads_)),
      head_dim(positive("head_dim", head_dim_)),
      precision(precision_) {
    if (precision == Precision::int4) refuse("the cache is kept in bfloat16, float32 or int8");
    if (block_size % KEY_GROUP)
        refuse("block_size must be a multiple of 16, is " + std::to_string(block_size));
    if (blocks * block_size > INT32_MAX)
        refuse("a cache of " + std::to_string(blocks * block_size) + " positions is too large for 32-bit slots");
    if (head_dim % KEY_GROUP || head_dim > LARGEST_HEAD_DIM)
        refuse("head_dim must be a multiple of 16 up to 256, is " + std::to_string(head_dim));
    const int64_t group_bytes = cached_group_bytes(head_dim, int64_t(bytes_of(precision)));
    layer_bytes_ = size_t(blocks * kv_heads * (block_size / KEY_GROUP) * group_bytes);
    keys_ = Memory(size_t(layers) * layer_bytes_);
    values_ = Memory(size_t(layers) * layer_bytes_);
}

KeyValueLayer KeyValueCache::layer(int64_t index) const {
    if (index < 0 || index >= layers)
        refuse("layer " + std::to_string(index) + " is not one of the cache's " + std::to_string(layers));
    const size_t offset = size_t(index) * layer_bytes_;
    return {static_cast<char*>(keys_.data()) + offset, static_cast<char*>(values_.data()) + offset, block_size, kv_heads,
            head_dim};
}

Batch::Batch(const KeyValueCache& cache, std::vector<int32_t> token_ids_, std::vector<int32_t> positions_,
             std::vector<int32_t> slots_, std::vector<int32_t> sequence_rows_, std::vector<int32_t> block_tables_,
             int64_t table_width_, std::vector<int32_t> logit_rows_)
    : token_ids(std::move(token_ids_)),
      positions(std::move(positions_)),
      slots(std::move(slots_)),
      sequence_rows(std::move(sequence_rows_)),
      block_tables(std::move(block_tables_)),
      table_width(table_width_),
      logit_rows(std::move(logit_rows_)),
      tiles(attention_tiles(positions, sequence_rows)) {
    const size_t count = token_ids.size();
    if (positions.size() != count || slots.size() != count || sequence_rows.size() != count)
        refuse("a batch of " + std::to_string(count) + " token ids has " + std::to_string(positions.size()) +
               " positions, " + std::to_string(slots.size()) + " slots and " + std::to_string(sequence_rows.size()) +
               " sequence rows");
    const auto check = [](const char* name, int64_t value, int64_t limit) {
        if (value < 0 || value >= limit)
            refuse(std::string(name) + " " + std::to_string(value) + " is outside 0 to " + std::to_string(limit - 1));
    };
    const int64_t sequences = table_width > 0 ? int64_t(block_tables.size()) / table_width : 0;
    for (size_t i = 0; i < count; ++i) {
        check("slot", slots[i], cache.blocks * cache.block_size);
        check("sequence row", sequence_rows[i], sequences);
        check("position", positions[i], table_width * cache.block_size);
    }
    for (const int32_t block : block_tables) check("block id", block, cache.blocks);
    for (const int32_t row : logit_rows) check("logit row", row, int64_t(count));
}

}  // namespace wending
