// Choosing the next token of completions from their logits; what is chosen is said in src/wending/engine/sampler.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace wending {

struct SamplingSettings {
    float inverse_temperature;  // 0: the largest logit is taken
    int64_t top_k;              // 0: off
    float min_p;                // 0: off
    double top_p;               // 1: off
    float repetition_penalty;   // 1: off
    float presence_penalty, frequency_penalty;  // 0: off
    std::vector<int32_t> bias_ids;
    std::vector<float> biases;  // of each of bias_ids
    int num_logprobs;           // -1: none are asked for
};

// One completion: its settings and the tokens it has seen.
class RowSampler {
public:
    // std::invalid_argument for an id below 0 or for another number of biases than of ids.
    RowSampler(SamplingSettings settings, const std::vector<int32_t>& prompt_token_ids);

    // Counts a token as part of the completion, for the penalties.
    void observe(int32_t token_id);
    // Whether `adjust` would change any logit of tokens `first` to `end` - 1.
    bool adjusts(int64_t first, int64_t end) const;
    // Biases and penalties of tokens `first` to `end` - 1, whose logits these are.
    void adjust(int64_t first, int64_t end, float* logits) const;
    int32_t largest_id() const { return changes_.empty() ? -1 : changes_.back().id; }

    const SamplingSettings settings;

private:
    struct Change {  // of the logit of one token
        int32_t id;
        float bias = 0;
        float count = 0;    // of its occurrences in the completion
        bool seen = false;  // in prompt or completion
    };
    std::vector<Change>::const_iterator from(int64_t id) const;
    Change& change_of(int32_t id);

    const bool penalises_seen_, penalises_generated_;
    std::vector<Change> changes_;  // ids ascending
};

struct SampledRow {
    int32_t token_id = -1;   // -1: nothing can be chosen, for one of the two reasons below
    int64_t non_finite = 0;  // logits that are infinite or NaN
    bool all_forbidden = false;
    double logprob = 0;  // of token_id; natural logarithm, as are those of `top`
    std::vector<std::pair<int32_t, double>> top;
};

// Logits [rows][width], of which the first `vocab_size` of each row count. numbers [rows]: the uniform number in [0, 1) for
// each row. allowed, or null: [rows][ceil(vocab_size / 32)] words, in which bit i % 32 of word i / 32 says whether token i may be chosen.
struct SampleRows {
    const float* logits;
    int64_t rows, width, vocab_size;
    const double* numbers;
    const uint32_t* allowed;
};

// One result for each row. A row's result depends on that row alone: not on the others, nor on the number of threads.
std::vector<SampledRow> sample(const SampleRows& rows, const std::vector<const RowSampler*>& samplers);

}  // namespace wending
