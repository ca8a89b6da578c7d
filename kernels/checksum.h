// A checksum against accidents: disk faults, truncation, half-written files. Not against people.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wending {

// A change within one aligned word of 8 bytes is found for certain, any other but for one in 2^64. Runs on all threads,
// at the speed of memory; the result does not depend on how many there are.
uint64_t checksum(const uint8_t* data, size_t bytes);

}  // namespace wending
