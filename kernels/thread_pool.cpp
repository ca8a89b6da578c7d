#include "thread_pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace wending {
namespace {

// How often a thread looks again before it sleeps: some tens of microseconds, the gap between two operations of a step.
constexpr int LOOKS_BEFORE_SLEEP = 1500;

// Bytes asked for between two looks.
constexpr uintptr_t READ_AHEAD_PIECE = 512;

void pause() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

ThreadPool& ThreadPool::shared() {
    // Never destroyed: worker threads may outlive the interpreter's shutdown, and the system takes them down with it.
    static ThreadPool* pool = new ThreadPool;
    return *pool;
}

ThreadPool::~ThreadPool() { stop_workers(); }

void ThreadPool::set_threads(int threads) {
    const std::lock_guard<std::mutex> lock(busy_);
    stop_workers();
    threads_ = threads < 1 ? 1 : threads;
    shares_.reset(new Share[size_t(threads_)]);
}

void ThreadPool::start_workers() {
    const uint32_t generation = generation_.load(std::memory_order_relaxed);
    for (int i = int(workers_.size()) + 1; i < threads_; ++i)
        workers_.emplace_back([this, i, generation] { work(i, generation); });
}

void ThreadPool::stop_workers() {
    stopping_.store(true, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    stopping_.store(false, std::memory_order_relaxed);
}

void ThreadPool::run_job(const Job& job) {
    const int64_t parts = (job.count + job.grain - 1) / job.grain;
    if (parts <= 0) return;
    if (parts == 1 || threads_ == 1 || !busy_.try_lock()) {
        job.call(job.context, 0, job.count);
        return;
    }
    const std::lock_guard<std::mutex> lock(busy_, std::adopt_lock);
    if (int(workers_.size()) + 1 < threads_) start_workers();
    job_ = job;
    parts_ = uint32_t(parts);
    finished_.store(0, std::memory_order_relaxed);
    for (int thread = 0; thread < threads_; ++thread) {
        const uint64_t begin = uint64_t(parts * thread / threads_), end = uint64_t(parts * (thread + 1) / threads_);
        shares_[size_t(thread)].parts.store(end << 32 | begin, std::memory_order_release);
    }
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    take_parts(0);
    uint32_t finished = finished_.load(std::memory_order_acquire);
    while (finished != uint32_t(parts)) {
        wait_for_change(0, finished_, finished);
        finished = finished_.load(std::memory_order_acquire);
    }
}

void ThreadPool::take_parts(int thread) {
    for (int i = 0; i < threads_; ++i) {
        Share& share = shares_[size_t((thread + i) % threads_)];
        for (;;) {
            const uint64_t taken = share.parts.fetch_add(1, std::memory_order_acquire);
            const uint32_t part = uint32_t(taken), end = uint32_t(taken >> 32);
            if (part >= end) break;
            const Job& job = job_;
            const uint32_t parts = parts_;
            const int64_t first = int64_t(part) * job.grain;
            job.call(job.context, first, first + job.grain < job.count ? first + job.grain : job.count);
            if (finished_.fetch_add(1, std::memory_order_release) + 1 == parts) finished_.notify_all();
        }
    }
}

void ThreadPool::work(int thread, uint32_t seen) {
    for (;;) {
        wait_for_change(thread, generation_, seen);
        seen = generation_.load(std::memory_order_acquire);
        if (stopping_.load(std::memory_order_relaxed)) return;
        take_parts(thread);
    }
}

// Waits until `word` differs from `old`: looks for a short while and reads ahead meanwhile, then sleeps.
void ThreadPool::wait_for_change(int thread, const std::atomic<uint32_t>& word, uint32_t old) {
    for (int i = 0; i < LOOKS_BEFORE_SLEEP; ++i) {
        if (word.load(std::memory_order_acquire) != old) return;
        if (!read_ahead(thread)) pause();
    }
    word.wait(old, std::memory_order_acquire);
}

void ThreadPool::set_read_ahead(const void* data, int64_t bytes, int64_t each) {
    const std::unique_lock<std::mutex> lock(busy_, std::try_to_lock);  // the shares belong to the threads there are
    if (!lock) return;
    for (int thread = 0; thread < threads_; ++thread) {
        const int64_t begin = bytes * thread / threads_, end = bytes * (thread + 1) / threads_;
        Share& share = shares_[size_t(thread)];
        const uintptr_t from = reinterpret_cast<uintptr_t>(data) + uintptr_t(begin);
        share.ahead_end.store(0, std::memory_order_relaxed);
        share.ahead.store(from, std::memory_order_relaxed);
        share.ahead_end.store(from + uintptr_t(end - begin < each ? end - begin : each), std::memory_order_relaxed);
    }
}

// False where there is nothing to read. Two writers of a share's place can only make something be asked for twice, or not.
bool ThreadPool::read_ahead(int thread) {
    Share& share = shares_[size_t(thread)];
    const uintptr_t at = share.ahead.load(std::memory_order_relaxed);
    if (at >= share.ahead_end.load(std::memory_order_relaxed)) return false;
    share.ahead.store(at + READ_AHEAD_PIECE, std::memory_order_relaxed);
    for (uintptr_t i = 0; i < READ_AHEAD_PIECE; i += 64) __builtin_prefetch(reinterpret_cast<const void*>(at + i), 0, 2);
    return true;
}

}  // namespace wending
