// The kernels that each instruction set has.
#pragma once

#include "arguments.h"
#include "quantized_format.h"

namespace wending {

// The kernels over quantised weights; those in arrays by the number of the format in QUANTIZED_FORMATS.
struct QuantizedKernels {
    void (*quantize_rows)(const QuantizeArguments&, int64_t begin, int64_t end);
    void (*embed[QUANTIZED_FORMAT_COUNT])(const EmbedArguments&, int64_t begin, int64_t end);
    void (*linear[QUANTIZED_FORMAT_COUNT])(const QuantizedLinearArguments&, int64_t begin, int64_t end);
};

// The kernels over BF16 weights where the processor itself multiplies pairs of BF16 numbers.
struct PairKernels {
    void (*round_rows)(const RoundArguments&, int64_t begin, int64_t end);
    void (*linear)(const PairLinearArguments&, int64_t begin, int64_t end);
    void (*peak)(const PeakArguments&, int64_t begin, int64_t end);
};

// What sampling does with a block; see sample_passes.h.
struct SamplePasses {
    bool (*maximum)(const float* x, int64_t count, float* largest);
    double (*weigh)(const float* x, int64_t count, float largest, float inverse_temperature, float smallest,
                    float* weights);
    double (*sum_from)(const float* weights, int64_t count, float border);
    int64_t (*collect)(const float* weights, int64_t count, float low, float high, float beyond, float* out,
                       double* within, double* above);
};

// Attention; the kernels in arrays read BF16, float32 and int8.
struct AttentionKernels {
    void (*attention[3])(const AttentionArguments&, int64_t begin, int64_t end);
    void (*attention_segment[3])(const AttentionArguments&, int64_t begin, int64_t end);
    void (*merge_attention)(const AttentionArguments&, int64_t begin, int64_t end);
};

// The kernels of one instruction set. Where there are two forms, the first reads BF16 and the second float32.
struct KernelTable {
    const char* name;
    const QuantizedKernels* quantized;
    const PairKernels* pairs;  // null: BF16 weights are widened to float32
    const AttentionKernels* attention;
    void (*embed[2])(const EmbedArguments&, int64_t begin, int64_t end);
    void (*linear[2])(const LinearArguments&, int64_t begin, int64_t end);
    void (*rope_and_cache[3])(const RopeArguments&, int64_t begin, int64_t end);  // to BF16, float32, int8
    void (*integer_peak)(const PeakArguments&, int64_t begin, int64_t end);
    void (*float_peak)(const PeakArguments&, int64_t begin, int64_t end);
    void (*rms_norm)(const RmsNormArguments&, int64_t begin, int64_t end);
    SamplePasses sample;
};

}  // namespace wending
