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

// The kernels of one instruction set. Where there are two forms, the first reads BF16 and the second float32.
struct KernelTable {
    const char* name;
    const QuantizedKernels* quantized;
    void (*embed[2])(const EmbedArguments&, int64_t begin, int64_t end);
    void (*linear[2])(const LinearArguments&, int64_t begin, int64_t end);
    void (*rope_and_cache[2])(const RopeArguments&, int64_t begin, int64_t end);
    void (*attention[2])(const AttentionArguments&, int64_t begin, int64_t end);
    void (*integer_peak)(const PeakArguments&, int64_t begin, int64_t end);
    void (*float_peak)(const PeakArguments&, int64_t begin, int64_t end);
    void (*rms_norm)(const RmsNormArguments&, int64_t begin, int64_t end);
    void (*swiglu)(const SwigluArguments&, int64_t begin, int64_t end);
};

}  // namespace wending
