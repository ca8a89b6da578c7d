// The kernels of one instruction set. Compiled several times, each time with another WENDING_ISA and other flags.
#include "kernel_table.h"

#include "embed.h"
#include "linear.h"
#include "peak.h"
#include "rms_norm.h"
#include "rope.h"
#include "sample_passes.h"

#define WENDING_TEXT(name) #name
#define WENDING_NAME(name) WENDING_TEXT(name)

namespace wending {
namespace WENDING_ISA {

extern const QuantizedKernels quantized_kernels;
extern const AttentionKernels attention_kernels;

static constexpr KernelTable table(const char* name, const PairKernels* pairs, const AttentionKernels* attention) {
    return {
        name,
        &quantized_kernels,
        pairs,
        attention,
        {embed<uint16_t>, embed<float>},
        {linear<uint16_t>, linear<float>},
        {rope_and_cache<uint16_t>, rope_and_cache<float>, rope_and_cache<int8_t>},
        integer_peak,
        float_peak,
        rms_norm,
        {maximum, weigh, sum_from, collect},
    };
}

extern const KernelTable kernels;
const KernelTable kernels = table(WENDING_NAME(WENDING_ISA), nullptr, &attention_kernels);

#if defined(__AVX512F__)
// For processors that multiply BF16 numbers as well.
extern const PairKernels pair_kernels;
extern const AttentionKernels pair_attention_kernels;
extern const KernelTable bfloat16_kernels;
const KernelTable bfloat16_kernels = table("avx512_bf16", &pair_kernels, &pair_attention_kernels);
#endif

}  // namespace WENDING_ISA
}  // namespace wending
