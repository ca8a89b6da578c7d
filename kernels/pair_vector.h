// The instructions of processors that multiply pairs of BF16 numbers. For AVX-512 only.
//
// They are written out in assembly, so that the files that use them need no flag that would let the compiler use them
// elsewhere; and because GCC copies the sums of such intrinsics back and forth.
#pragma once

#include "vector.h"

#if defined(__AVX512F__)

namespace wending {
namespace WENDING_ISA {

// sum + the products of both numbers of each pair. Products are exact; what is subnormal counts as zero.
WENDING_INLINE Vector dot_pairs(Vector sum, __m512i weights, __m512i x) {
    __m512 value = sum.value;  // a plain local: an operand within a struct would be stored to memory each time
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(value) : "v"(weights), "v"(x));
    return {value};
}

// To nearest even; NaN stays NaN.
WENDING_INLINE __m256i rounded_to_bfloat16(Vector x) {
    __m256i bits;
    __asm__("vcvtneps2bf16 %1, %0" : "=v"(bits) : "v"(x.value));
    return bits;
}
WENDING_INLINE void store_bfloat16(uint16_t* p, Vector x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), rounded_to_bfloat16(x));
}

// The pair at p in all lanes.
WENDING_INLINE __m512i broadcast_pair(const uint16_t* p) {
    int32_t two;
    memcpy(&two, p, sizeof two);
    return _mm512_set1_epi32(two);
}

}  // namespace WENDING_ISA
}  // namespace wending

#endif
