// The kernels of one instruction set. Compiled several times, each time with another WENDING_ISA and other flags.
#include "kernel_table.h"

#include "attention.h"
#include "embed.h"
#include "linear.h"
#include "peak.h"
#include "quantize_rows.h"
#include "quantized_linear.h"
#include "rms_norm.h"
#include "rope.h"
#include "swiglu.h"

#define WENDING_TEXT(name) #name
#define WENDING_NAME(name) WENDING_TEXT(name)

namespace wending {
namespace WENDING_ISA {

extern const KernelTable kernels;
const KernelTable kernels = {
    WENDING_NAME(WENDING_ISA),
    {embed<uint16_t>, embed<float>},
    {linear<uint16_t>, linear<float>},
    {quantized_embed<0>, quantized_embed<1>, quantized_embed<2>, quantized_embed<3>, quantized_embed<4>,
     quantized_embed<5>, quantized_embed<6>, quantized_embed<7>},
    {quantized_linear<0>, quantized_linear<1>, quantized_linear<2>, quantized_linear<3>, quantized_linear<4>,
     quantized_linear<5>, quantized_linear<6>, quantized_linear<7>},
    {rope_and_cache<uint16_t>, rope_and_cache<float>},
    {attention<uint16_t>, attention<float>},
    integer_peak,
    float_peak,
    quantize_rows,
    rms_norm,
    swiglu,
};

}  // namespace WENDING_ISA
}  // namespace wending
