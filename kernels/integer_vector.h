// Sixteen 32-bit sums of products of bytes: the arithmetic of the quantised kernels. It is exact, so that all instruction
// sets give the same integers.
#pragma once

#include "quantized_format.h"
#include "vector.h"

namespace wending {
namespace WENDING_ISA {

// Weight codes for 16 outputs, four inputs each.
#if defined(__AVX512F__)

struct Integers {
    __m512i value;
};
struct Codes {
    __m512i value;
};
// What `dot` takes from unsigned codes by itself.
constexpr int TAKEN_FROM_EIGHT_BITS = 0;

WENDING_INLINE Integers all_lanes(int32_t x) { return {_mm512_set1_epi32(x)}; }
WENDING_INLINE Vector to_float(Integers a) { return {_mm512_cvtepi32_ps(a.value)}; }
WENDING_INLINE Codes load_codes(const uint8_t* p) { return {_mm512_loadu_si512(p)}; }
WENDING_INLINE Codes low_codes(Codes a) { return {_mm512_and_si512(a.value, _mm512_set1_epi8(15))}; }
WENDING_INLINE Codes high_codes(Codes a) {
    return {_mm512_and_si512(_mm512_srli_epi16(a.value, 4), _mm512_set1_epi8(15))};
}
// sum + the products of each output's four codes with the four bytes at x.
template <int BITS>
WENDING_INLINE Integers dot(Integers sum, Codes codes, const int8_t* x) {
    int32_t four;
    memcpy(&four, x, sizeof four);
    const __m512i all = _mm512_set1_epi32(four);
    // Written out because GCC copies the sums of the intrinsic back and forth, to memory and all.
    // The operand is a plain local: one within a struct would be stored to memory each time.
    __m512i value = sum.value;
    __asm__("vpdpbusd %2, %1, %0" : "+v"(value) : "v"(codes.value), "v"(all));
    return {value};
}
WENDING_INLINE Vector load_half(const uint16_t* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
// Sixteen numbers from -127 to 127, to nearest even, as bytes; they are added to `sum` lane by lane.
struct Bytes {
    __m128i value;
};
WENDING_INLINE Bytes to_bytes(Vector a, Vector& sum) {
    const __m512i whole = _mm512_cvtps_epi32(a.value);
    sum = sum + Vector{_mm512_cvtepi32_ps(whole)};
    return {_mm512_cvtsepi32_epi8(whole)};
}
// The bytes of some rows, four by four: the first four of each row, then the next.
template <int ROWS>
WENDING_INLINE void store_interleaved(int8_t* p, const Bytes (&rows)[ROWS]) {
    constexpr int STEP = 4 * ROWS, FIRST = ROWS / 4 * 4;
    if constexpr (ROWS >= 4) {
        const __m128i low01 = _mm_unpacklo_epi32(rows[0].value, rows[1].value);
        const __m128i low23 = _mm_unpacklo_epi32(rows[2].value, rows[3].value);
        const __m128i high01 = _mm_unpackhi_epi32(rows[0].value, rows[1].value);
        const __m128i high23 = _mm_unpackhi_epi32(rows[2].value, rows[3].value);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_unpacklo_epi64(low01, low23));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p + STEP), _mm_unpackhi_epi64(low01, low23));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 2 * STEP), _mm_unpacklo_epi64(high01, high23));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 3 * STEP), _mm_unpackhi_epi64(high01, high23));
    }
    WENDING_UNROLL
    for (int r = FIRST; r < ROWS; ++r) {
        alignas(16) int32_t fours[4];
        _mm_store_si128(reinterpret_cast<__m128i*>(fours), rows[r].value);
        for (int i = 0; i < 4; ++i) memcpy(p + i * STEP + 4 * r, fours + i, 4);
    }
}

#elif defined(__AVX2__)

struct Integers {
    __m256i low, high;
};
struct Codes {
    __m256i low, high;
};
constexpr int TAKEN_FROM_EIGHT_BITS = 128;

WENDING_INLINE Integers all_lanes(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
WENDING_INLINE Vector to_float(Integers a) { return {_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)}; }
WENDING_INLINE Codes load_codes(const uint8_t* p) {
    const __m256i* at = reinterpret_cast<const __m256i*>(p);
    return {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
}
WENDING_INLINE Codes low_codes(Codes a) {
    const __m256i mask = _mm256_set1_epi8(15);
    return {_mm256_and_si256(a.low, mask), _mm256_and_si256(a.high, mask)};
}
WENDING_INLINE Codes high_codes(Codes a) {
    return low_codes({_mm256_srli_epi16(a.low, 4), _mm256_srli_epi16(a.high, 4)});
}
template <int BITS>
WENDING_INLINE __m256i dot_eight(__m256i sum, __m256i codes, __m256i x) {
    // Pairs of products are added in 16 bits. Half byte codes cannot overflow there; bytes can, so they are taken as
    // signed numbers up to 127, and their sign goes over to x.
    if constexpr (BITS == 8) {
        const __m256i number = _mm256_xor_si256(codes, _mm256_set1_epi8(-128));
        x = _mm256_sign_epi8(x, number);
        codes = _mm256_abs_epi8(number);
    }
    const __m256i pairs = _mm256_maddubs_epi16(codes, x);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
template <int BITS>
WENDING_INLINE Integers dot(Integers sum, Codes codes, const int8_t* x) {
    int32_t four;
    memcpy(&four, x, sizeof four);
    const __m256i all = _mm256_set1_epi32(four);
    return {dot_eight<BITS>(sum.low, codes.low, all), dot_eight<BITS>(sum.high, codes.high, all)};
}
WENDING_INLINE Vector load_half(const uint16_t* p) {
    const __m128i* at = reinterpret_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_loadu_si128(at)), _mm256_cvtph_ps(_mm_loadu_si128(at + 1))};
}

#else

struct Integers {
    int32_t lane[LANES];
};
struct Codes {
    uint8_t byte[4 * LANES];
};
constexpr int TAKEN_FROM_EIGHT_BITS = 0;

WENDING_INLINE Integers all_lanes(int32_t x) {
    Integers a;
    for (int i = 0; i < LANES; ++i) a.lane[i] = x;
    return a;
}
WENDING_INLINE Vector to_float(Integers a) {
    float lane[LANES];
    for (int i = 0; i < LANES; ++i) lane[i] = float(a.lane[i]);
    return load(lane);
}
WENDING_INLINE Codes load_codes(const uint8_t* p) {
    Codes a;
    memcpy(&a, p, sizeof a);
    return a;
}
WENDING_INLINE Codes low_codes(Codes a) {
    for (int i = 0; i < 4 * LANES; ++i) a.byte[i] &= 15;
    return a;
}
WENDING_INLINE Codes high_codes(Codes a) {
    for (int i = 0; i < 4 * LANES; ++i) a.byte[i] >>= 4;
    return a;
}
template <int BITS>
WENDING_INLINE Integers dot(Integers sum, Codes codes, const int8_t* x) {
    for (int i = 0; i < LANES; ++i)
        for (int j = 0; j < 4; ++j) sum.lane[i] += int32_t(codes.byte[4 * i + j]) * x[j];
    return sum;
}
WENDING_INLINE Vector load_half(const uint16_t* p) {
    float lane[LANES];
    for (int i = 0; i < LANES; ++i) lane[i] = half_to_float(p[i]);
    return load(lane);
}

#endif

#if !defined(__AVX512F__)
struct Bytes {
    int8_t lane[LANES];
};
WENDING_INLINE Bytes to_bytes(Vector a, Vector& sum) {
    const Vector rounder = broadcast(12582912.0f);  // 1.5 * 2^23: adding and subtracting it rounds to a whole number
    Vector whole = (a + rounder) - rounder;
    whole = lesser(greater(whole, broadcast(-127.0f)), broadcast(127.0f));  // NaN has to become something, too
    sum = sum + whole;
    float lane[LANES];
    store(lane, whole);
    Bytes bytes;
    for (int i = 0; i < LANES; ++i) bytes.lane[i] = int8_t(lane[i]);
    return bytes;
}
template <int ROWS>
WENDING_INLINE void store_interleaved(int8_t* p, const Bytes (&rows)[ROWS]) {
    for (int i = 0; i < LANES; i += 4)
        for (int r = 0; r < ROWS; ++r) memcpy(p + i * ROWS + 4 * r, rows[r].lane + i, 4);
}
#endif

// By how much codes still exceed the numbers they stand for when `dot` has multiplied them.
static constexpr int excess(QuantizedFormat f) {
    return f.offsets ? 0 : f.bits == 8 ? 128 - TAKEN_FROM_EIGHT_BITS : 8;
}

}  // namespace WENDING_ISA
}  // namespace wending
