// The kernels of one instruction set. Compiled several times, each time with another WENDING_ISA and other flags.
#include "kernel_table.h"

#include "attention.h"
#include "embed.h"
#include "linear.h"
#include "peak.h"
#include "rms_norm.h"
#include "rope.h"
#include "swiglu.h"

#define WENDING_TEXT(name) #name
#define WENDING_NAME(name) WENDING_TEXT(name)

namespace wending {
namespace WENDING_ISA {

extern const QuantizedKernels quantized_kernels;
extern const KernelTable kernels;
const KernelTable kernels = {
    WENDING_NAME(WENDING_ISA),
    &quantized_kernels,
    {embed<uint16_t>, embed<float>},
    {linear<uint16_t>, linear<float>},
    {rope_and_cache<uint16_t>, rope_and_cache<float>},
    {attention<uint16_t>, attention<float>},
    integer_peak,
    float_peak,
    rms_norm,
    swiglu,
};

}  // namespace WENDING_ISA
}  // namespace wending
