#include "instruction_set.h"

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "operations.h"

namespace wending {

namespace portable {
extern const KernelTable kernels;
}
#ifdef WENDING_X86_KERNELS
namespace avx2 {
extern const KernelTable kernels;
}
namespace avx512 {
extern const KernelTable kernels, bfloat16_kernels;
}
#endif

namespace {

struct Choice {
    const KernelTable* table;
    bool available;
};

// Every set that was compiled in, the best first.
std::vector<Choice> choices() {
    std::vector<Choice> all;
#ifdef WENDING_X86_KERNELS
    const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                            __builtin_cpu_supports("avx512vnni");
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    all.push_back({&avx512::bfloat16_kernels, has_avx512 && __builtin_cpu_supports("avx512bf16")});
    all.push_back({&avx512::kernels, has_avx512});
    all.push_back({&avx2::kernels, has_avx2});
#endif
    all.push_back({&portable::kernels, true});
    return all;
}

const KernelTable* find(const std::string& name, const std::string& origin) {
    std::string known;
    for (const Choice& choice : choices()) {
        if (choice.table->name == name) {
            if (choice.available) return choice.table;
            throw std::invalid_argument(origin + " names " + name + ", which this processor does not have");
        }
        known += (known.empty() ? "" : ", ") + std::string(choice.table->name);
    }
    throw std::invalid_argument(origin + " names " + name + ", which is none of " + known);
}

std::atomic<const KernelTable*> in_use{nullptr};

}  // namespace

const KernelTable& kernels() {
    const KernelTable* table = in_use.load(std::memory_order_acquire);
    if (!table) {
        const char* forced = std::getenv("WENDING_INSTRUCTION_SET");
        if (forced && *forced) {
            table = find(forced, "the environment variable WENDING_INSTRUCTION_SET");
        } else {
            for (const Choice& choice : choices())
                if (choice.available && !table) table = choice.table;
        }
        in_use.store(table, std::memory_order_release);
    }
    return *table;
}

const char* instruction_set() { return kernels().name; }

void use_instruction_set(const std::string& name) {
    in_use.store(find(name, "use_instruction_set"), std::memory_order_release);
}

std::vector<std::string> available_instruction_sets() {
    std::vector<std::string> names;
    for (const Choice& choice : choices())
        if (choice.available) names.emplace_back(choice.table->name);
    return names;
}

}  // namespace wending
