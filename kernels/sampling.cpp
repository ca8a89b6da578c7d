#include "sampling.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "instruction_set.h"
#include "thread_pool.h"

namespace wending {
namespace {

constexpr float INFINITE = std::numeric_limits<float>::infinity();
constexpr int64_t PADDING = 16;  // values that the passes may write beyond the last

// Up to so many weights the border of the nucleus is found by sorting them; among more, by narrowing them down first.
constexpr int64_t FEW = 256;
constexpr int64_t SAMPLE_SIZE = 256;
// How far from its place in the sample the border is looked for: three standard deviations of a sample quantile, which
// are at most 3 * sqrt(SAMPLE_SIZE / 4), and some more.
constexpr int64_t SAMPLE_MARGIN = 28;
// Where more than a token from each block is asked for, maxima are taken over pieces of this size.
constexpr int64_t PIECE = 32;

int64_t blocks_of(int64_t count) { return (count + SAMPLE_BLOCK - 1) / SAMPLE_BLOCK; }

float next_above(float x) { return std::nextafter(x, INFINITE); }
float next_below(float x) { return std::nextafter(x, 0.0f); }

// What one thread needs beside the logits.
struct Scratch {
    explicit Scratch(int64_t vocab_size)
        : maxima(size_t(blocks_of(vocab_size) + PADDING)),
          factors(size_t(blocks_of(vocab_size) + PADDING)),
          sums(size_t(blocks_of(vocab_size))),
          starts(size_t(blocks_of(vocab_size) + 1)),
          found(size_t(vocab_size + PADDING)),
          narrowed{found, found} {}

    std::vector<float> maxima;                // of each block of logits
    std::vector<float> factors;               // the weights of the maxima
    std::vector<double> sums;                 // of each block of weights
    std::vector<int64_t> starts;              // where the weights of each block begin in `found`
    std::vector<float> found, narrowed[2];    // weights among which the border of the nucleus lies
    std::vector<float> values;                // the k largest logits
    std::vector<int32_t> ids;                 // and their ids, ascending
    float block[SAMPLE_BLOCK], weights[SAMPLE_BLOCK];
};

// A row of logits, read block by block; biases, penalties and what is forbidden are applied on the way.
class Row {
public:
    Row(const float* logits, int64_t count, Scratch& scratch, const RowSampler* sampler = nullptr,
        const uint32_t* allowed = nullptr)
        : count(count), blocks(blocks_of(count)), scratch(scratch), logits_(logits), sampler_(sampler), allowed_(allowed) {}

    int64_t size_of(int64_t block) const { return std::min(SAMPLE_BLOCK, count - block * SAMPLE_BLOCK); }

    // The logits of a block, until the next call.
    const float* block(int64_t block) const {
        const int64_t first = block * SAMPLE_BLOCK, end = first + size_of(block);
        const bool masked = allowed(block) != Allowed::ALL;
        if (!masked && !(sampler_ && sampler_->adjusts(first, end))) return logits_ + first;
        std::copy(logits_ + first, logits_ + end, scratch.block);
        if (sampler_) sampler_->adjust(first, end, scratch.block);
        if (masked) forbid(first, end);
        return scratch.block;
    }
    float at(int64_t token) const { return block(token / SAMPLE_BLOCK)[token % SAMPLE_BLOCK]; }

    // Fills scratch.maxima and, unless the inverse temperature is 0, scratch.sums with the weights relative to the maximum
    // of each block, while the block is at hand. False if a logit is infinite or NaN.
    // `known`: scratch.maxima has the maxima of the row as it is without a mask.
    bool find_maxima(float inverse_temperature, bool known = false) const {
        const SamplePasses& passes = kernels().sample;
        bool finite = true;
        for (int64_t b = 0; b < blocks; ++b) {
            float& largest = scratch.maxima[size_t(b)];
            const Allowed which = allowed(b);
            if (which == Allowed::NONE) {  // most of a mask, and nothing of it need be read
                largest = -INFINITE;
                scratch.sums[size_t(b)] = 0.0;
                continue;
            }
            if (known && which == Allowed::ALL && inverse_temperature == 0.0f) continue;
            const float* const logits = block(b);
            if (!known || which != Allowed::ALL) finite &= passes.maximum(logits, size_of(b), &largest);
            if (inverse_temperature == 0.0f) continue;
            scratch.sums[size_t(b)] =
                largest == -INFINITE
                    ? 0.0
                    : passes.weigh(logits, size_of(b), largest, inverse_temperature, 0.0f, scratch.weights);
        }
        return finite;
    }
    float largest() const { return *std::max_element(scratch.maxima.begin(), scratch.maxima.begin() + blocks); }

    const int64_t count, blocks;
    Scratch& scratch;

private:
    enum class Allowed { NONE, SOME, ALL };

    // Which tokens of a block the mask lets pass.
    Allowed allowed(int64_t block) const {
        if (!allowed_) return Allowed::ALL;
        const int64_t first = block * SAMPLE_BLOCK, words = size_of(block) / 32, rest = size_of(block) % 32;
        const uint32_t* const word = allowed_ + first / 32;
        uint32_t any = 0, all = ~0u;
        for (int64_t i = 0; i < words; ++i) {
            any |= word[i];
            all &= word[i];
        }
        if (rest) {  // the last word of the row
            const uint32_t bits = (1u << rest) - 1;
            any |= word[words] & bits;
            all &= word[words] | ~bits;
        }
        return all == ~0u ? Allowed::ALL : any ? Allowed::SOME : Allowed::NONE;
    }
    // Takes what the mask does not let pass out of scratch.block.
    void forbid(int64_t first, int64_t end) const {
        for (int64_t word_first = first; word_first < end; word_first += 32) {
            uint32_t forbidden = ~allowed_[word_first / 32];
            if (end - word_first < 32) forbidden &= (1u << (end - word_first)) - 1;
            for (; forbidden; forbidden &= forbidden - 1)
                scratch.block[word_first - first + __builtin_ctz(forbidden)] = -INFINITE;
        }
    }

    const float* const logits_;
    const RowSampler* const sampler_;
    const uint32_t* const allowed_;
};

// exp((logit - largest) / temperature) of a row, and 0 where that is below min_p.
struct Weighing {
    float largest, inverse_temperature, min_p;

    double operator()(const float* logits, int64_t count, float* weights) const {
        return kernels().sample.weigh(logits, count, largest, inverse_temperature, min_p, weights);
    }
    // Fills scratch.weights with those of a block and returns their sum.
    double operator()(const Row& row, int64_t block) const {
        return (*this)(row.block(block), row.size_of(block), row.scratch.weights);
    }
    // Fills scratch.factors, makes scratch.sums relative to the largest logit of all and returns the sum of them. They are
    // those of `find_maxima` with this temperature.
    double sum(const Row& row) const {
        Scratch& scratch = row.scratch;
        (*this)(scratch.maxima.data(), row.blocks, scratch.factors.data());
        for (int64_t b = 0; b < row.blocks; ++b) {
            double& sum = scratch.sums[size_t(b)];
            if (min_p == 0.0f)
                sum *= double(scratch.factors[size_t(b)]);
            else
                sum = scratch.factors[size_t(b)] > 0 ? (*this)(row, b) : 0.0;
        }
        return std::accumulate(scratch.sums.begin(), scratch.sums.begin() + row.blocks, 0.0);
    }
};

// A number that at least k logits reach, and as few others as can be told by maxima.
float reached_by(const Row& row, int64_t k) {
    std::vector<float>& maxima = row.scratch.values;
    maxima.assign(row.scratch.maxima.begin(), row.scratch.maxima.begin() + row.blocks);
    if (k > row.blocks) {
        maxima.clear();
        for (int64_t b = 0; b < row.blocks; ++b) {
            const float* const block = row.block(b);
            for (int64_t i = 0; i < row.size_of(b); i += PIECE)
                kernels().sample.maximum(block + i, std::min(PIECE, row.size_of(b) - i), &maxima.emplace_back());
        }
    }
    if (k > int64_t(maxima.size())) return -INFINITE;
    std::nth_element(maxima.begin(), maxima.begin() + (k - 1), maxima.end(), std::greater<float>());
    return maxima[size_t(k - 1)];
}

// Values and ids of the k largest logits, ids ascending; of equals at the border the lowest ids. 0 < k < row.count.
void find_top_k(const Row& row, int64_t k) {
    std::vector<float>& values = row.scratch.values;
    std::vector<int32_t>& ids = row.scratch.ids;
    float border = reached_by(row, k);
    values.clear();
    ids.clear();
    for (int64_t b = 0; b < row.blocks; ++b) {
        if (row.scratch.maxima[size_t(b)] < border) continue;
        const float* const block = row.block(b);
        for (int64_t i = 0; i < row.size_of(b); ++i) {
            if (block[i] < border) continue;
            values.push_back(block[i]);
            ids.push_back(int32_t(b * SAMPLE_BLOCK + i));
        }
    }
    float* const ordered = row.scratch.found.data();
    std::copy(values.begin(), values.end(), ordered);
    std::nth_element(ordered, ordered + (k - 1), ordered + values.size(), std::greater<float>());
    border = ordered[k - 1];
    int64_t equals = k - std::count_if(values.begin(), values.end(), [=](float value) { return value > border; });
    size_t kept = 0;
    for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] < border || (values[i] == border && equals-- <= 0)) continue;
        values[kept] = values[i];
        ids[kept++] = ids[i];
    }
    values.resize(kept);
    ids.resize(kept);
}

// The smallest weight of a nucleus, and how many of those equal to it, counted by ids, belong to it.
struct Border {
    float weight;
    int64_t equals;
};

struct Range {
    float low, high;  // both included
};

// The border among weights that are few enough to be sorted; the larger ones that are not among them sum to `before`.
Border border_by_sorting(float* weights, int64_t count, double before, double target) {
    std::sort(weights, weights + count, std::greater<float>());
    int64_t last = 0;
    for (double reached = before + weights[0]; reached < target && last + 1 < count; reached += weights[last]) ++last;
    const float* const first_equal = std::lower_bound(weights, weights + last, weights[last], std::greater<float>());
    return {weights[last], weights + last + 1 - first_equal};
}

// Where the border lies more often than not, judged by `size` weights from `low` on that stand for `scale` each. Those
// beyond the border sum to `cut`: they are counted from the smallest on, because a sample may miss the few large ones.
Range likely_range(float* sample, int64_t size, double scale, float low, double cut) {
    if (size <= 2 * SAMPLE_MARGIN) return {low, 1.0f};
    std::sort(sample, sample + size, std::greater<float>());
    int64_t place = size;
    for (double beyond = 0; place > 0 && beyond < cut;) beyond += scale * sample[--place];
    return {place + SAMPLE_MARGIN < size ? sample[place + SAMPLE_MARGIN] : low,
            place > SAMPLE_MARGIN ? sample[place - SAMPLE_MARGIN] : 1.0f};
}

// The next range to look at when the border was not in this one, because the weights of the range and above sum to too
// little or those above it to too much already.
bool missed(Range& range, float low, double above, double within, double target) {
    if (above >= target) {
        range = {next_above(range.high), 1.0f};
    } else if (above + within < target && range.low > low) {
        range = {low, next_below(range.low)};
    } else {
        return false;
    }
    return true;
}

// The border among `count` weights from `low` on that sum to `total`; the larger ones that are not among them sum to
// `before`.
Border border_among(const float* weights, int64_t count, float low, double before, double target, double total,
                    Scratch& scratch) {
    for (int turn = 0;; turn = 1 - turn) {
        float* const found = scratch.narrowed[turn].data();
        if (count <= FEW) {
            std::copy(weights, weights + count, found);
            return border_by_sorting(found, count, before, target);
        }
        float sample[SAMPLE_SIZE];
        for (int64_t i = 0; i < SAMPLE_SIZE; ++i) sample[i] = weights[i * count / SAMPLE_SIZE];
        Range range = likely_range(sample, SAMPLE_SIZE, double(count) / SAMPLE_SIZE, low, before + total - target);
        int64_t size;
        double within, above;
        do {
            size = 0;
            within = above = 0;
            for (int64_t i = 0; i < count; i += SAMPLE_BLOCK)
                size += kernels().sample.collect(weights + i, std::min(SAMPLE_BLOCK, count - i), range.low, range.high,
                                                 next_above(range.high), found + size, &within, &above);
        } while (missed(range, low, before + above, within, target));
        if (size == 0) return {range.low, 0};  // by rounding: all above belong to it
        if (size == count) return border_by_sorting(found, size, before, target);
        weights = found;
        count = size;
        low = range.low;
        before += above;
        total = within;
    }
}

// The border of the fewest largest weights that make up `top_p` of their sum. Leaves the sums of those in scratch.sums,
// and in scratch.found, block by block from scratch.starts, the weights around the border.
Border find_nucleus(const Row& row, const Weighing& weighing, double top_p) {
    Scratch& scratch = row.scratch;
    const double total = weighing.sum(row), target = top_p * total;
    // Weights below this sum to less than the share that is cut off, so none of them can be needed.
    const float low =
        std::max(float((1 - top_p) * total / double(row.count)), std::numeric_limits<float>::min());
    float sample[SAMPLE_SIZE];
    for (int64_t i = 0; i < SAMPLE_SIZE; ++i) sample[i] = row.at(i * row.count / SAMPLE_SIZE);
    weighing(sample, SAMPLE_SIZE, sample);
    const int64_t size = std::partition(sample, sample + SAMPLE_SIZE, [=](float weight) { return weight >= low; }) - sample;
    const double scale = double(row.count) / SAMPLE_SIZE;
    const double below_low = scale * std::accumulate(sample + size, sample + SAMPLE_SIZE, 0.0);
    Range range = likely_range(sample, size, scale, low, total - target - below_low);
    double within, above;
    do {
        within = above = 0;
        int64_t found = 0;
        for (int64_t b = 0; b < row.blocks; ++b) {
            scratch.starts[size_t(b)] = found;
            double& sum = scratch.sums[size_t(b)] = 0;
            if (scratch.factors[size_t(b)] < range.low) continue;
            weighing(row, b);
            found += kernels().sample.collect(scratch.weights, row.size_of(b), range.low, range.high,
                                              next_above(range.high), scratch.found.data() + found, &within, &sum);
            above += sum;
        }
        scratch.starts[size_t(row.blocks)] = found;
    } while (missed(range, low, above, within, target));
    const int64_t found = scratch.starts[size_t(row.blocks)];
    if (found == 0) return {range.low, 0};  // by rounding: all above belong to it
    const Border border = border_among(scratch.found.data(), found, range.low, above, target, within, scratch);
    int64_t equals = border.equals;
    for (int64_t b = 0; b < row.blocks; ++b) {
        const float* const begin = scratch.found.data() + scratch.starts[size_t(b)];
        const float* const end = scratch.found.data() + scratch.starts[size_t(b + 1)];
        const int64_t equals_here = std::min<int64_t>(std::count(begin, end, border.weight), equals);
        equals -= equals_here;
        scratch.sums[size_t(b)] += kernels().sample.sum_from(begin, end - begin, next_above(border.weight)) +
                                   double(equals_here) * double(border.weight);
    }
    return border;
}

// Fills scratch.weights with those of a block, zero where they are outside of the nucleus.
void weigh_nucleus(const Row& row, const Weighing& weighing, Border border, int64_t block) {
    Scratch& scratch = row.scratch;
    const float* const found = scratch.found.data();
    int64_t equals = border.equals - std::count(found, found + scratch.starts[size_t(block)], border.weight);
    weighing(row, block);
    for (int64_t i = 0; i < row.size_of(block); ++i) {
        float& weight = scratch.weights[i];
        if (weight < border.weight || (weight == border.weight && equals-- <= 0)) weight = 0.0f;
    }
}

// Where `number` (in [0, 1)) of the sum of `values` falls, and how far into that value itself.
template <class Value>
std::pair<int64_t, double> find(const Value* values, int64_t count, double number) {
    const double target = number * std::accumulate(values, values + count, 0.0);
    double before = 0, next_before = 0;
    int64_t place = 0;
    for (int64_t i = 0; i < count && next_before <= target; ++i) {
        if (!(values[i] > 0)) continue;
        place = i;  // where rounding makes the target reach the sum, the last with a weight remains
        before = next_before;
        next_before += double(values[i]);
    }
    return {place, std::clamp((target - before) / double(values[place]), 0.0, 1.0)};
}

int64_t draw(const Row& row, const SamplingSettings& settings, float largest, double number) {
    const Weighing weighing = {largest, settings.inverse_temperature, settings.min_p};
    Border border = {0.0f, 0};
    if (settings.top_p < 1.0)
        border = find_nucleus(row, weighing, settings.top_p);
    else
        weighing.sum(row);
    const auto [block, within] = find(row.scratch.sums.data(), row.blocks, number);
    if (settings.top_p < 1.0)
        weigh_nucleus(row, weighing, border, block);
    else
        weighing(row, block);
    return block * SAMPLE_BLOCK + find(row.scratch.weights, row.size_of(block), within).first;
}

// scratch.maxima are those of `row`.
int64_t choose(const Row& row, const SamplingSettings& settings, double number) {
    const float largest = row.largest();
    if (settings.inverse_temperature == 0.0f) {
        const std::vector<float>& maxima = row.scratch.maxima;
        const auto block = std::find(maxima.begin(), maxima.end(), largest) - maxima.begin();
        const float* const logits = row.block(block);
        return block * SAMPLE_BLOCK + (std::find(logits, logits + row.size_of(block), largest) - logits);
    }
    if (settings.top_k == 0 || settings.top_k >= row.count) return draw(row, settings, largest, number);
    find_top_k(row, settings.top_k);
    const Row candidates(row.scratch.values.data(), settings.top_k, row.scratch);
    candidates.find_maxima(settings.inverse_temperature);
    return row.scratch.ids[size_t(draw(candidates, settings, largest, number))];
}

// Adds the most likely tokens to `result` and returns the logarithm of the sum over exp(logits). scratch.maxima are those
// of `row`.
double find_logprobs(const Row& row, const float* logits, int num_top, SampledRow& result) {
    const float largest = row.largest();
    const double log_sum = double(largest) + std::log(Weighing{largest, 1.0f, 0.0f}.sum(row));
    if (num_top == 0) return log_sum;
    std::vector<int32_t>& ids = row.scratch.ids;
    if (num_top < row.count) {
        find_top_k(row, num_top);
    } else {
        ids.resize(size_t(row.count));
        std::iota(ids.begin(), ids.end(), 0);
    }
    std::stable_sort(ids.begin(), ids.end(), [=](int32_t a, int32_t b) { return logits[a] > logits[b]; });
    for (const int32_t id : ids) result.top.emplace_back(id, double(logits[id]) - log_sum);
    return log_sum;
}

int64_t count_non_finite(const Row& row) {
    int64_t count = 0;
    for (int64_t b = 0; b < row.blocks; ++b) {
        const float* const block = row.block(b);
        count += std::count_if(block, block + row.size_of(b), [](float x) { return !std::isfinite(x); });
    }
    return count;
}

SampledRow sample_row(const float* logits, int64_t count, const RowSampler& sampler, double number,
                      const uint32_t* allowed, Scratch& scratch) {
    SampledRow result;
    double log_sum = 0;
    const SamplingSettings& settings = sampler.settings;
    const bool all = settings.top_k == 0 || settings.top_k >= count;
    const float inverse_temperature = all ? settings.inverse_temperature : 0.0f;  // otherwise not weighed as a whole
    const Row raw(logits, count, scratch), adjusted(logits, count, scratch, &sampler, nullptr);
    if (settings.num_logprobs >= 0) {
        if (!raw.find_maxima(1.0f)) {
            result.non_finite = count_non_finite(raw);
            return result;
        }
        log_sum = find_logprobs(raw, logits, settings.num_logprobs, result);
    }
    const bool known = settings.num_logprobs >= 0 && inverse_temperature == 0.0f && sampler.largest_id() < 0;
    if (!known && !adjusted.find_maxima(allowed ? 0.0f : inverse_temperature)) {
        result.non_finite = count_non_finite(adjusted);
        return result;
    }
    const Row final(logits, count, scratch, &sampler, allowed);
    if (allowed) {
        final.find_maxima(inverse_temperature, true);
        result.all_forbidden = final.largest() == -INFINITE;
        if (result.all_forbidden) return result;
    }
    result.token_id = int32_t(choose(final, settings, number));
    result.logprob = double(logits[result.token_id]) - log_sum;
    return result;
}

}  // namespace

RowSampler::RowSampler(SamplingSettings given, const std::vector<int32_t>& prompt_token_ids)
    : settings(std::move(given)),
      penalises_seen_(settings.repetition_penalty != 1.0f),
      penalises_generated_(settings.presence_penalty != 0.0f || settings.frequency_penalty != 0.0f) {
    if (settings.bias_ids.size() != settings.biases.size())
        throw std::invalid_argument("RowSampler: there must be one bias for each of bias_ids");
    std::vector<int32_t> ids = settings.bias_ids;
    if (penalises_seen_) ids.insert(ids.end(), prompt_token_ids.begin(), prompt_token_ids.end());
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    for (const int32_t id : ids) {
        if (id < 0) throw std::invalid_argument("RowSampler: token id " + std::to_string(id) + " is below 0");
        changes_.push_back({id});
    }
    for (size_t i = 0; i < settings.bias_ids.size(); ++i) change_of(settings.bias_ids[i]).bias = settings.biases[i];
    if (penalises_seen_)
        for (const int32_t id : prompt_token_ids) change_of(id).seen = true;
}

void RowSampler::observe(int32_t token_id) {
    if (token_id < 0)
        throw std::invalid_argument("observe: token id " + std::to_string(token_id) + " is below 0");
    if (!penalises_seen_ && !penalises_generated_) return;
    Change& change = change_of(token_id);
    change.seen = true;
    change.count += 1.0f;
}

bool RowSampler::adjusts(int64_t first, int64_t end) const {
    const auto change = from(first);
    return change != changes_.end() && change->id < end;
}

void RowSampler::adjust(int64_t first, int64_t end, float* logits) const {
    for (auto change = from(first); change != changes_.end() && change->id < end; ++change) {
        float& logit = logits[change->id - first];
        logit += change->bias;
        if (penalises_seen_ && change->seen)
            logit = logit > 0 ? logit / settings.repetition_penalty : logit * settings.repetition_penalty;
        if (change->count > 0) logit -= change->count * settings.frequency_penalty + settings.presence_penalty;
    }
}

std::vector<RowSampler::Change>::const_iterator RowSampler::from(int64_t id) const {
    return std::lower_bound(changes_.begin(), changes_.end(), id,
                            [](const Change& change, int64_t value) { return change.id < value; });
}

RowSampler::Change& RowSampler::change_of(int32_t id) {
    const auto place = changes_.begin() + (from(id) - changes_.cbegin());
    return place != changes_.end() && place->id == id ? *place : *changes_.insert(place, {id});
}

std::vector<SampledRow> sample(const SampleRows& rows, const std::vector<const RowSampler*>& samplers) {
    if (int64_t(samplers.size()) != rows.rows)
        throw std::invalid_argument("sample: there must be one sampler for each row of logits");
    if (rows.vocab_size < 1 || rows.vocab_size > rows.width)
        throw std::invalid_argument("sample: vocab_size must be 1 to " + std::to_string(rows.width) + ", is " +
                                    std::to_string(rows.vocab_size));
    for (const RowSampler* sampler : samplers)
        if (sampler->largest_id() >= rows.vocab_size)
            throw std::invalid_argument("sample: token id " + std::to_string(sampler->largest_id()) +
                                        " is outside 0 to " + std::to_string(rows.vocab_size - 1));
    std::vector<SampledRow> sampled(samplers.size());
    const int64_t threads = std::min<int64_t>(ThreadPool::shared().threads(), rows.rows);
    // The memory stays with the calling thread, for its next call.
    static thread_local std::vector<Scratch> scratches;
    static thread_local int64_t largest_vocabulary = 0;
    if (rows.vocab_size > largest_vocabulary) scratches.clear();
    largest_vocabulary = std::max(largest_vocabulary, rows.vocab_size);
    while (int64_t(scratches.size()) < threads) scratches.emplace_back(largest_vocabulary);
    Scratch* const scratch = scratches.data();  // the other threads have a variable of that name of their own
    const int64_t words = (rows.vocab_size + 31) / 32;
    std::atomic<int64_t> next{0};
    ThreadPool::shared().run(threads, 1, [&](int64_t thread, int64_t) {
        for (int64_t row; (row = next.fetch_add(1, std::memory_order_relaxed)) < rows.rows;)
            sampled[size_t(row)] =
                sample_row(rows.logits + row * rows.width, rows.vocab_size, *samplers[size_t(row)], rows.numbers[row],
                           rows.allowed ? rows.allowed + row * words : nullptr, scratch[thread]);
    });
    return sampled;
}

}  // namespace wending
