#include "thread_pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace wending {
namespace {

// How often a thread looks again before it sleeps: some tens of microseconds, the gap between two operations of a step.
constexpr int LOOKS_BEFORE_SLEEP = 1500;

// Bytes asked for between two looks.
constexpr int READ_AHEAD_PIECE = 512;

void pause() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

// Waits until `word` differs from `old`: looks for a short while, then sleeps.
void ThreadPool::wait_for_change(const std::atomic<uint32_t>& word, uint32_t old) {
    for (int i = 0; i < LOOKS_BEFORE_SLEEP; ++i) {
        if (word.load(std::memory_order_acquire) != old) return;
        read_ahead();
    }
    word.wait(old, std::memory_order_acquire);
}

void ThreadPool::set_read_ahead(const void* data, int64_t bytes) {
    ahead_end_.store(0, std::memory_order_relaxed);
    ahead_.store(reinterpret_cast<uintptr_t>(data), std::memory_order_relaxed);
    ahead_end_.store(reinterpret_cast<uintptr_t>(data) + uintptr_t(bytes), std::memory_order_relaxed);
}

void ThreadPool::read_ahead() {
    if (ahead_.load(std::memory_order_relaxed) >= ahead_end_.load(std::memory_order_relaxed)) {
        pause();
        return;
    }
    const uintptr_t at = ahead_.fetch_add(READ_AHEAD_PIECE, std::memory_order_relaxed);
    for (int i = 0; i < READ_AHEAD_PIECE; i += 64) __builtin_prefetch(reinterpret_cast<const void*>(at + uintptr_t(i)), 0, 2);
}

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
}

void ThreadPool::start_workers() {
    const uint32_t generation = generation_.load(std::memory_order_relaxed);
    for (int i = int(workers_.size()) + 1; i < threads_; ++i)
        workers_.emplace_back([this, generation] { work(generation); });
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
    finished_.store(0, std::memory_order_relaxed);
    parts_.store(uint64_t(parts) << 32, std::memory_order_release);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    take_parts();
    uint32_t finished = finished_.load(std::memory_order_acquire);
    while (finished != uint32_t(parts)) {
        wait_for_change(finished_, finished);
        finished = finished_.load(std::memory_order_acquire);
    }
}

void ThreadPool::take_parts() {
    for (;;) {
        const uint64_t taken = parts_.fetch_add(1, std::memory_order_acquire);
        const uint32_t part = uint32_t(taken), parts = uint32_t(taken >> 32);
        if (part >= parts) return;
        const Job& job = job_;
        const int64_t begin = int64_t(part) * job.grain;
        const int64_t end = begin + job.grain < job.count ? begin + job.grain : job.count;
        job.call(job.context, begin, end);
        if (finished_.fetch_add(1, std::memory_order_release) + 1 == parts) finished_.notify_all();
    }
}

void ThreadPool::work(uint32_t seen) {
    for (;;) {
        wait_for_change(generation_, seen);
        seen = generation_.load(std::memory_order_acquire);
        if (stopping_.load(std::memory_order_relaxed)) return;
        take_parts();
    }
}

}  // namespace wending
