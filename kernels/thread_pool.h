// One persistent pool of threads for the whole process.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace wending {

class ThreadPool {
public:
    static ThreadPool& shared();

    // Threads that take part in a job, the caller included. The first call starts no thread; jobs do.
    int threads() const { return threads_; }
    void set_threads(int threads);

    // Calls task(begin, end) for parts of 0 to count, each of at most `grain`, and returns when all are done. A second
    // caller at the same time does its work alone; tasks must not throw.
    template <class Task>
    void run(int64_t count, int64_t grain, const Task& task) {
        const auto call = [](const void* context, int64_t begin, int64_t end) {
            (*static_cast<const Task*>(context))(begin, end);
        };
        run_job({call, &task, count, grain < 1 ? 1 : grain});
    }

    // What threads without work ask memory for, piece by piece, until there is work again: what the next job will read.
    // A hint only; nothing of it is used.
    void set_read_ahead(const void* data, int64_t bytes);

    ~ThreadPool();

private:
    struct Job {
        void (*call)(const void* context, int64_t begin, int64_t end) = nullptr;
        const void* context = nullptr;
        int64_t count = 0;
        int64_t grain = 1;
    };

    void run_job(const Job& job);
    void take_parts();
    void start_workers();
    void stop_workers();
    void work(uint32_t seen);
    void wait_for_change(const std::atomic<uint32_t>& word, uint32_t old);
    void read_ahead();

    int threads_ = 1;
    std::mutex busy_;
    std::vector<std::thread> workers_;
    Job job_;
    // Parts of the current job: how many there are (upper half) and the next to take (lower half), in one word, so that
    // a worker that wakes late can never take a part of one job with the numbers of another.
    std::atomic<uint64_t> parts_{0};
    alignas(64) std::atomic<uint32_t> finished_{0};
    alignas(64) std::atomic<uint32_t> generation_{0};  // counts jobs; workers sleep on it
    std::atomic<bool> stopping_{false};
    alignas(64) std::atomic<uintptr_t> ahead_{0};
    std::atomic<uintptr_t> ahead_end_{0};
};

}  // namespace wending
