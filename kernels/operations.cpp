#include "operations.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "instruction_set.h"
#include "thread_pool.h"

namespace wending {
namespace {

void require(bool condition, const char* operation, const char* what) {
    if (!condition) throw std::invalid_argument(std::string(operation) + ": " + what);
}

// Work below this many multiply-adds (or elements moved) is done faster than a second thread can be told of it.
constexpr int64_t SMALLEST_SHARED_WORK = 1 << 15;
// Parts a thread is given on average: enough that one which is held up does not hold up the others.
constexpr int64_t PARTS_PER_THREAD = 8;

// Attention is not split by segments where what they leave to merge would take more bytes than this.
constexpr size_t LARGEST_ATTENTION_PARTS = 8 << 20;

// How much of the next weight idle threads ask for, and up to how many rows: it should find room in the second-level cache.
constexpr int64_t READ_AHEAD = 256 << 10, MOST_ROWS_READ_AHEAD = 32;

// Tasks a part should hold, for tasks of `work` multiply-adds each.
int64_t grain_of(int64_t tasks, int64_t work) {
    const int64_t smallest = (SMALLEST_SHARED_WORK + work - 1) / std::max<int64_t>(work, 1);
    const int64_t balanced = tasks / (ThreadPool::shared().threads() * PARTS_PER_THREAD);
    return std::max<int64_t>({1, smallest, balanced});
}

template <class Arguments>
void run(void (*kernel)(const Arguments&, int64_t, int64_t), const Arguments& arguments, int64_t tasks,
         int64_t grain) {
    ThreadPool::shared().run(tasks, grain, [&](int64_t begin, int64_t end) { kernel(arguments, begin, end); });
}

// Memory for activations made smaller. It belongs to the calling thread and lasts until its next call.
void* scratch(size_t bytes) {
    static thread_local Memory memory;
    if (memory.bytes() < bytes) memory = Memory(bytes, Memory::ACTIVATIONS_IN_HUGE_PAGES);
    return memory.data();
}

// The arguments with x quantised as the format asks, in scratch memory.
QuantizedLinearArguments quantized(const LinearArguments& linear, int format_number) {
    const QuantizedFormat& format = QUANTIZED_FORMATS[format_number];
    const int64_t stride = group_count(format, linear.inputs) * format.group;
    const int64_t codes = linear.rows * stride, groups = codes / activation_group(format);
    int8_t* const first = static_cast<int8_t*>(scratch(size_t(codes) + 3 * sizeof(float) * size_t(groups)));
    float* const scales = reinterpret_cast<float*>(first + codes);
    int32_t* const starts = reinterpret_cast<int32_t*>(scales + groups);
    float* const negative_sums = reinterpret_cast<float*>(starts + groups);
    const QuantizeArguments arguments = {linear.x,    first,         scales, starts,       negative_sums,
                                         linear.rows, linear.inputs, stride, format_number};
    const int64_t tiles = row_tiles(linear.rows, QUANTIZED_TILE_ROWS);
    run(kernels().quantized->quantize_rows, arguments, tiles, grain_of(tiles, 4 * QUANTIZED_TILE_ROWS * stride));
    return {linear, first, scales, starts, negative_sums, stride};
}

// The arguments with x rounded to BF16, in scratch memory.
PairLinearArguments rounded(const LinearArguments& linear) {
    const int64_t stride = (linear.inputs + ROUNDED_AT_ONCE - 1) / ROUNDED_AT_ONCE * ROUNDED_AT_ONCE;
    uint16_t* const pairs = static_cast<uint16_t*>(scratch(sizeof(uint16_t) * size_t(linear.rows * stride)));
    const RoundArguments arguments = {linear.x, pairs, linear.rows, linear.inputs, stride};
    const int64_t tiles = row_tiles(linear.rows, PAIR_TILE_ROWS);
    run(kernels().pairs->round_rows, arguments, tiles, grain_of(tiles, PAIR_TILE_ROWS * stride));
    return {linear, pairs, stride};
}

}  // namespace

void embed(const Weight& table, const Batch& batch, Buffer& out) {
    require(out.width == table.inputs && !table.gated, "embed", "out must be as wide as the embedding, which is not gated");
    for (const int32_t id : batch.token_ids)
        if (id < 0 || id >= table.outputs)
            throw std::invalid_argument("embed: token id " + std::to_string(id) + " is outside 0 to " +
                                        std::to_string(table.outputs - 1));
    out.resize(batch.tokens());
    const EmbedArguments arguments = {table.panels.data(), batch.token_ids.data(), out.data(), out.width};
    const auto kernel =
        table.format < 0 ? kernels().embed[int(table.precision)] : kernels().quantized->embed[table.format];
    run(kernel, arguments, batch.tokens(), grain_of(batch.tokens(), out.width));
}

void rotary(const Batch& batch, const Vector& inverse_frequencies, float factor, Buffer& cosine, Buffer& sine) {
    const int64_t size = inverse_frequencies.size();
    require(cosine.width == size && sine.width == size, "rotary", "cosine and sine must be head_dim / 2 wide");
    cosine.resize(batch.tokens());
    sine.resize(batch.tokens());
    const auto fill = [&](int64_t begin, int64_t end) {
        for (int64_t token = begin; token < end; ++token) {
            for (int64_t i = 0; i < size; ++i) {
                // The angle is a float32 product, as in the models' training; its cosine and sine are then exact.
                const double angle = float(batch.positions[size_t(token)]) * inverse_frequencies.values[size_t(i)];
                cosine.data()[token * size + i] = float(std::cos(angle)) * factor;
                sine.data()[token * size + i] = float(std::sin(angle)) * factor;
            }
        }
    };
    ThreadPool::shared().run(batch.tokens(), grain_of(batch.tokens(), 64 * size), fill);
}

void rms_norm(const Buffer& x, const Vector& weight, float epsilon, Buffer& out) {
    require(x.width == weight.size() && x.width == out.width, "rms_norm", "x, weight and out must be equally wide");
    out.resize(x.rows());
    const RmsNormArguments arguments = {x.data(), weight.values.data(), out.data(), x.width, epsilon};
    run(kernels().rms_norm, arguments, x.rows(), grain_of(x.rows(), x.width));
}

void linear(const Buffer& x, const Weight& weight, const Vector* bias, const Buffer* residual, Buffer& out,
            const Weight* next) {
    require(x.width == weight.inputs, "linear", "x must be as wide as the weight has inputs");
    const int64_t outputs = weight.gated ? weight.outputs / 2 : weight.outputs;
    require(out.width == outputs, "linear", "out must be as wide as the weight has outputs, or half of it if it is gated");
    require(!weight.gated || (!bias && !residual), "linear", "a gated weight has neither bias nor residual");
    require(!bias || bias->size() == weight.outputs, "linear", "the bias must have one value per output");
    require(!residual || (residual->width == weight.outputs && residual->rows() == x.rows()), "linear",
            "the residual must have the shape of out");
    require(&out != &x, "linear", "out must not be x");
    out.resize(x.rows());
    const LinearArguments arguments = {x.data(),
                                       weight.panels.data(),
                                       bias ? bias->values.data() : nullptr,
                                       residual ? residual->data() : nullptr,
                                       out.data(),
                                       x.rows(),
                                       weight.inputs,
                                       outputs,
                                       weight.gated};
    const int64_t panels = weight.panel_count;
    int64_t grain = grain_of(panels, x.rows() * weight.inputs * PANEL_OUTPUTS);
    if (weight.gated) grain += grain % 2;  // gates and their outputs belong together
    // With few rows memory is the limit, and it should never wait for threads that wait for each other.
    if (next && x.rows() <= MOST_ROWS_READ_AHEAD)
        ThreadPool::shared().set_read_ahead(next->panels.data(), int64_t(next->panels.bytes()), READ_AHEAD);
    if (weight.precision == Precision::bfloat16 && kernels().pairs)
        run(kernels().pairs->linear, rounded(arguments), panels, grain);
    else if (weight.format < 0)
        run(kernels().linear[int(weight.precision)], arguments, panels, grain);
    else
        run(kernels().quantized->linear[weight.format], quantized(arguments, weight.format), panels, grain);
}

void rope_and_cache(Buffer& qkv, const Buffer& cosine, const Buffer& sine, const Batch& batch, KeyValueCache& cache,
                    int64_t layer) {
    const int64_t half = cache.head_dim / 2, tokens = batch.tokens();
    const int64_t heads = qkv.width / cache.head_dim - 2 * cache.kv_heads;
    require(qkv.width % cache.head_dim == 0 && heads > 0, "rope_and_cache", "qkv must hold whole heads");
    require(cosine.width == half && sine.width == half, "rope_and_cache", "cosine and sine must be head_dim / 2 wide");
    require(qkv.rows() == tokens && cosine.rows() == tokens && sine.rows() == tokens, "rope_and_cache",
            "qkv, cosine and sine must have one row per token");
    const RopeArguments arguments = {qkv.data(), cosine.data(), sine.data(), batch.slots.data(), cache.layer(layer),
                                     heads};
    run(kernels().rope_and_cache[int(cache.precision)], arguments, tokens, grain_of(tokens, qkv.width));
}

void attention(const Buffer& qkv, const Batch& batch, const KeyValueCache& cache, int64_t layer, Buffer& out) {
    const int64_t tokens = batch.tokens();
    const int64_t heads = qkv.width / cache.head_dim - 2 * cache.kv_heads;
    require(qkv.width % cache.head_dim == 0 && heads > 0 && heads % cache.kv_heads == 0, "attention",
            "qkv must hold whole heads, and a whole number of query heads per KV head");
    require(qkv.rows() == tokens, "attention", "qkv must have one row per token");
    require(out.width == heads * cache.head_dim, "attention", "out must be as wide as all query heads");
    out.resize(tokens);
    const int64_t tasks = int64_t(batch.tiles.size()) * cache.kv_heads, group = heads / cache.kv_heads;
    AttentionArguments arguments = {qkv.data(),
                                    batch.positions.data(),
                                    batch.sequence_rows.data(),
                                    batch.block_tables.data(),
                                    batch.table_width,
                                    batch.tiles.data(),
                                    cache.layer(layer),
                                    heads,
                                    1.0f / std::sqrt(float(cache.head_dim)),
                                    out.data(),
                                    nullptr,
                                    1,
                                    0};
    int64_t keys = 0;
    for (const int32_t position : batch.positions) keys += position + 1;
    for (const AttentionTile& tile : batch.tiles) {
        arguments.segments = std::max<int64_t>(arguments.segments, tile.segments);
        arguments.tile_rows = std::max<int64_t>(arguments.tile_rows, tile.count * group);
    }
    const AttentionKernels& kernel = *kernels().attention;
    const int precision = int(cache.precision), threads = ThreadPool::shared().threads();
    // Where there are too few tasks to keep all threads at work, the segments of long contexts are tasks of their own.
    const size_t parts = size_t(tasks * arguments.segments * arguments.tile_rows * attention_row(cache.head_dim));
    const bool split = threads > 1 && arguments.segments > 1 && tasks < threads * PARTS_PER_THREAD &&
                       parts * sizeof(float) <= LARGEST_ATTENTION_PARTS;
    const int64_t all = split ? tasks * arguments.segments : tasks;
    const int64_t work = all ? 2 * keys * heads * cache.head_dim / all : 0;
    // Tasks are unequal and stand in falling order: the smaller a part, the better the end is balanced.
    const int64_t grain = std::max<int64_t>(1, SMALLEST_SHARED_WORK / std::max<int64_t>(work, 1));
    if (!split) {
        run(kernel.attention[precision], arguments, tasks, grain);
        return;
    }
    static thread_local Memory memory;
    if (memory.bytes() < parts * sizeof(float)) memory = Memory(parts * sizeof(float), Memory::ACTIVATIONS_IN_HUGE_PAGES);
    arguments.parts = static_cast<float*>(memory.data());
    run(kernel.attention_segment[precision], arguments, all, grain);
    run(kernel.merge_attention, arguments, tasks, 1);
}

void select_logit_rows(const Buffer& x, const Batch& batch, Buffer& out) {
    require(x.width == out.width && x.rows() == batch.tokens(), "select_logit_rows", "x must have one row per token");
    out.resize(int64_t(batch.logit_rows.size()));
    for (size_t i = 0; i < batch.logit_rows.size(); ++i)
        std::memcpy(out.data() + int64_t(i) * x.width, x.data() + batch.logit_rows[i] * x.width,
                    size_t(x.width) * sizeof(float));
}

double peak_operations(Precision precision) {
    constexpr int64_t LANES = 16, STEPS = 1 << 21;  // some milliseconds
    const bool bytes = precision == Precision::int8, pairs = precision == Precision::bfloat16 && kernels().pairs;
    const auto kernel = bytes ? kernels().integer_peak : pairs ? kernels().pairs->peak : kernels().float_peak;
    const int64_t products = bytes ? 4 : pairs ? 2 : 1;  // a lane and instruction
    const int64_t tasks = ThreadPool::shared().threads();
    std::vector<float> out(static_cast<size_t>(tasks));
    const PeakArguments arguments = {STEPS, 0, out.data()};
    double best = 0;
    for (int repeat = 0; repeat < 5; ++repeat) {
        const auto start = std::chrono::steady_clock::now();
        run(kernel, arguments, tasks, 1);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        best = std::max(best, double(tasks * STEPS * PEAK_CHAINS * LANES * 2 * products) / seconds.count());
    }
    return best;
}

}  // namespace wending
