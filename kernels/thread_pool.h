// One persistent pool of threads for the whole process.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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

    // Calls task(begin, end) for parts of 0 to count, each of at most `grain`, and returns when all are done. Each thread
    // goes through a share of its own from front to back, so that it reads on where it has been, and then helps others. A
    // second caller at the same time does its work alone; tasks must not throw.
    template <class Task>
    void run(int64_t count, int64_t grain, const Task& task) {
        const auto call = [](const void* context, int64_t begin, int64_t end) {
            (*static_cast<const Task*>(context))(begin, end);
        };
        run_job({call, &task, count, grain < 1 ? 1 : grain});
    }

    // What the next job will read, share by share. Threads without work ask memory for up to `each` bytes of their share
    // until there is work again. A hint: nothing of it is used.
    void set_read_ahead(const void* data, int64_t bytes, int64_t each);

    ~ThreadPool();

private:
    struct Job {
        void (*call)(const void* context, int64_t begin, int64_t end) = nullptr;
        const void* context = nullptr;
        int64_t count = 0;
        int64_t grain = 1;
    };
    // A thread's share of the current job: where its parts end (upper half) and the next to take (lower half), in one word, so
    // that a worker that wakes late can never take a part of one job with the numbers of another. And what to read ahead.
    struct alignas(64) Share {
        std::atomic<uint64_t> parts{0};
        std::atomic<uintptr_t> ahead{0}, ahead_end{0};
    };

    void run_job(const Job& job);
    void take_parts(int thread);
    void start_workers();
    void stop_workers();
    void work(int thread, uint32_t seen);
    void wait_for_change(int thread, const std::atomic<uint32_t>& word, uint32_t old);
    bool read_ahead(int thread);

    int threads_ = 1;
    std::mutex busy_;
    std::vector<std::thread> workers_;
    Job job_;
    uint32_t parts_ = 0;  // of the current job
    std::unique_ptr<Share[]> shares_{new Share[1]};
    alignas(64) std::atomic<uint32_t> finished_{0};
    alignas(64) std::atomic<uint32_t> generation_{0};  // counts jobs; workers sleep on it
    std::atomic<bool> stopping_{false};
};

}  // namespace wending
