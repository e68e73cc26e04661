// Worker: one thread beside the simulation that computes what will be needed later, task after
// task in order. Results do not depend on it: whoever needs one waits for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace dlavp {

class Worker {
 public:
  Worker() = default;
  /// Finishes the task at hand and drops the others.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Runs `task` behind those given before. It must not throw.
  void run(std::function<void()> task);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::thread thread_;  ///< begins with the first task
};

}  // namespace dlavp
