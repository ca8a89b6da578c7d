#include "checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "thread_pool.h"

namespace wending {
namespace {

constexpr size_t BLOCK_BYTES = size_t(1) << 20;
// Chains side by side hide the latency of the multiplication.
constexpr size_t CHAINS = 8, STRIPE_BYTES = CHAINS * sizeof(uint64_t);

// One-to-one in the sum and in the word, so that no difference of either is lost. The factor is 2^64 over the golden
// ratio, made odd.
inline uint64_t mixed(uint64_t sum, uint64_t word) { return std::rotl((sum ^ word) * 0x9E3779B97F4A7C15u, 29); }

void add_stripe(uint64_t* sums, const uint8_t* data) {
    uint64_t words[CHAINS];
    std::memcpy(words, data, sizeof words);
    for (size_t i = 0; i < CHAINS; ++i) sums[i] = mixed(sums[i], words[i]);
}

uint64_t block_sum(const uint8_t* data, size_t bytes) {
    uint64_t sums[CHAINS] = {1, 2, 3, 4, 5, 6, 7, 8};
    size_t done = 0;
    for (; done + STRIPE_BYTES <= bytes; done += STRIPE_BYTES) add_stripe(sums, data + done);
    if (done < bytes) {
        uint8_t rest[STRIPE_BYTES] = {};
        std::memcpy(rest, data + done, bytes - done);
        add_stripe(sums, rest);
    }
    uint64_t sum = bytes;
    for (const uint64_t chain : sums) sum = mixed(sum, chain);
    return sum;
}

}  // namespace

uint64_t checksum(const uint8_t* data, size_t bytes) {
    std::vector<uint64_t> sums((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES);
    ThreadPool::shared().run(int64_t(sums.size()), 1, [&](int64_t begin, int64_t end) {
        for (size_t i = size_t(begin); i < size_t(end); ++i)
            sums[i] = block_sum(data + i * BLOCK_BYTES, std::min(BLOCK_BYTES, bytes - i * BLOCK_BYTES));
    });
    uint64_t sum = bytes;
    for (const uint64_t block : sums) sum = mixed(sum, block);
    return sum;
}

}  // namespace wending
