// Attention for one instruction set; like kernel_table.cpp compiled several times. In a file of
// its own because it is compiled with other optimisation: see CMakeLists.txt.
#include "attention.h"
#include "kernel_table.h"

namespace wending {
namespace WENDING_ISA {

extern const AttentionKernels attention_kernels;
const AttentionKernels attention_kernels = {
    {attention<uint16_t>, attention<float>, attention<int8_t>},
    {attention_segment<uint16_t>, attention_segment<float>, attention_segment<int8_t>},
    merge_attention,
};

}  // namespace WENDING_ISA
}  // namespace wending
