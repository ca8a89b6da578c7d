// The operations of a forward pass: each checks its operands, cuts its work into tasks and hands them to the kernels of
// the instruction set in use, on the shared thread pool. Raises std::invalid_argument when operands do not fit together.
#pragma once

#include "storage.h"

namespace wending {

// out[t] = row token_ids[t] of the embedding matrix.
void embed(const Weight& table, const Batch& batch, Buffer& out);
// Cosine and sine [tokens][head_dim / 2] of the positions, times `factor` (YaRN's attention factor).
void rotary(const Batch& batch, const Vector& inverse_frequencies, float factor, Buffer& cosine, Buffer& sine);
void rms_norm(const Buffer& x, const Vector& weight, float epsilon, Buffer& out);
// out = x weight^T + bias + residual; bias and residual may be null, and out may be residual itself. Of a gated weight, which has
// neither: out = silu(x gates^T) * (x others^T), half as wide as the weight has outputs.
// `next`: the weight that is multiplied after this one, a hint; may be null.
void linear(const Buffer& x, const Weight& weight, const Vector* bias, const Buffer* residual, Buffer& out,
            const Weight* next);
// Rotates the queries in qkv, writes rotated keys and values to the batch's slots.
void rope_and_cache(Buffer& qkv, const Buffer& cosine, const Buffer& sine, const Batch& batch, KeyValueCache& cache,
                    int64_t layer);
void attention(const Buffer& qkv, const Batch& batch, const KeyValueCache& cache, int64_t layer, Buffer& out);
// The rows of x whose logits are asked for.
void select_logit_rows(const Buffer& x, const Batch& batch, Buffer& out);

// Operations per second (a multiplication and an addition are two) of all threads together, on registers alone: on bytes
// for int8, for bfloat16 on pairs of BF16 numbers where the processor multiplies those itself, otherwise on float32.
double peak_operations(Precision precision);

// The instruction set in use: "avx512_bf16", "avx512", "avx2" or "portable". `use_instruction_set` takes one of those
// this processor has; std::invalid_argument otherwise. The first use chooses the best, or what WENDING_INSTRUCTION_SET names.
const char* instruction_set();
void use_instruction_set(const std::string& name);
std::vector<std::string> available_instruction_sets();

}  // namespace wending
