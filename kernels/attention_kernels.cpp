// Attention for one instruction set; like kernel_table.cpp compiled several times. In a file of
// its own because it is compiled with other optimisation: see CMakeLists.txt.
#include "attention.h"
#include "kernel_table.h"
#include "pair_attention_tile.h"

namespace wending {
namespace WENDING_ISA {

// `BFloat16`: the arithmetic over a BF16 cache.
template <class BFloat16>
static constexpr AttentionKernels table() {
    return {
        {attention<BFloat16>, attention<WidenedArithmetic<float>>, attention<WidenedArithmetic<int8_t>>},
        {attention_segment<BFloat16>, attention_segment<WidenedArithmetic<float>>,
         attention_segment<WidenedArithmetic<int8_t>>},
        merge_attention,
    };
}

extern const AttentionKernels attention_kernels;
const AttentionKernels attention_kernels = table<WidenedArithmetic<uint16_t>>();

#if defined(__AVX512F__)
extern const AttentionKernels pair_attention_kernels;
const AttentionKernels pair_attention_kernels = table<PairArithmetic>();
#endif

}  // namespace WENDING_ISA
}  // namespace wending
