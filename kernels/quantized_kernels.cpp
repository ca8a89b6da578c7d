// The kernels over quantised weights and BF16 pairs of one instruction set; like kernel_table.cpp compiled several times.
// In a file of its own because it is compiled with other optimisation: see CMakeLists.txt.
#include "kernel_table.h"
#include "pair_linear.h"
#include "quantize_rows.h"
#include "quantized_linear.h"

namespace wending {
namespace WENDING_ISA {

extern const QuantizedKernels quantized_kernels;
const QuantizedKernels quantized_kernels = {
    quantize_rows,
    {quantized_embed<0>, quantized_embed<1>, quantized_embed<2>, quantized_embed<3>, quantized_embed<4>,
     quantized_embed<5>, quantized_embed<6>, quantized_embed<7>},
    {quantized_linear<0>, quantized_linear<1>, quantized_linear<2>, quantized_linear<3>, quantized_linear<4>,
     quantized_linear<5>, quantized_linear<6>, quantized_linear<7>},
};

#if defined(__AVX512F__)
extern const PairKernels pair_kernels;
const PairKernels pair_kernels = {round_rows, pair_linear, pair_peak};
#endif

}  // namespace WENDING_ISA
}  // namespace wending
