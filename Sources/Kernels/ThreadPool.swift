import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Raised by the user in the middle of a computation whose result nobody wants any more. A signal handler may raise it.
package final class Abandonment: Sendable {
    private let isRaised = Atomic<Bool>(false)

    package init() {}

    package var isSet: Bool {
        get { isRaised.load(ordering: .relaxed) }
        set { isRaised.store(newValue, ordering: .relaxed) }
    }
}

/// The one place that owns the processor's cores. Work is split into fixed chunks whose arithmetic does not depend on
/// who runs them; threads claim chunks by an atomic counter, so results are equal for any number of threads.
///
/// Unchecked Sendable: the job's fields are written by `run` under `gate` before the workers are woken and read by them
/// until `running` is zero again; the lock and the atomics order these accesses.
package final class ThreadPool: @unchecked Sendable {
    package static let shared = ThreadPool()
    /// Where set and raised, chunks are no longer computed and results mean nothing: whoever sets it throws them away.
    @TaskLocal package static var abandonment: Abandonment?

    private let gate: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private let finished: UnsafeMutablePointer<pthread_cond_t>
    private var generation = 0
    private var running = 0
    private var workers = 0
    private var chunkCount = 0
    private var body: ((Int) -> Void)?
    private let next = Atomic<Int>(0)
    private let busy = Atomic<Bool>(false)
    private let wanted: Atomic<Int>

    /// Threads that work at once, the caller included.
    package var threadCount: Int {
        get { wanted.load(ordering: .relaxed) }
        set { wanted.store(max(1, min(newValue, 256)), ordering: .relaxed) }
    }

    package static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    private init() {
        gate = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        finished = .allocate(capacity: 1)
        pthread_mutex_init(gate, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(finished, nil)
        wanted = Atomic(ThreadPool.processorCount)
    }

    /// Calls `body` once for each of 0..<chunks, on several threads, and returns when all are done.
    /// A call from inside a chunk, or beside another call, runs on the calling thread alone.
    package func run(_ chunks: Int, _ body: (Int) -> Void) {
        guard chunks > 0 else { return }
        guard let abandonment = Self.abandonment else { return share(chunks, body) }
        share(chunks) { chunk in
            if !abandonment.isSet { body(chunk) }
        }
    }

    private func share(_ chunks: Int, _ body: (Int) -> Void) {
        let helpers = min(threadCount, chunks) - 1
        guard helpers > 0, !busy.exchange(true, ordering: .acquiring) else {
            for chunk in 0..<chunks { body(chunk) }
            return
        }
        withoutActuallyEscaping(body) { body in
            pthread_mutex_lock(gate)
            while workers < helpers { startWorker() }
            self.body = body
            chunkCount = chunks
            next.store(0, ordering: .relaxed)
            generation &+= 1
            running = workers
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(gate)

            claim(body, chunks)

            pthread_mutex_lock(gate)
            while running > 0 { pthread_cond_wait(finished, gate) }
            self.body = nil
            pthread_mutex_unlock(gate)
        }
        busy.store(false, ordering: .releasing)
    }

    private func claim(_ body: (Int) -> Void, _ chunks: Int) {
        while true {
            let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
            if chunk >= chunks { return }
            body(chunk)
        }
    }

    private func work(index: Int) {
        var seen = 0
        pthread_mutex_lock(gate)
        while true {
            while generation == seen { pthread_cond_wait(wake, gate) }
            seen = generation
            let job = body
            let chunks = chunkCount
            let takesPart = index < threadCount - 1
            pthread_mutex_unlock(gate)
            if takesPart, let job { claim(job, chunks) }
            pthread_mutex_lock(gate)
            running -= 1
            if running == 0 { pthread_cond_signal(finished) }
        }
    }

    private func startWorker() {
        final class Start {
            let pool: ThreadPool
            let index: Int
            init(_ pool: ThreadPool, _ index: Int) { (self.pool, self.index) = (pool, index) }
        }
        let start = Unmanaged.passRetained(Start(self, workers))
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        // Signals belong to the main thread: a worker that took Ctrl-C would run the handler in the middle of a kernel.
        var all = sigset_t(), before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let code = pthread_create(
            &thread, nil,
            { argument in
                #if canImport(Glibc)
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                #else
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                #endif
                start.pool.work(index: start.index)
                return nil
            }, start.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        precondition(code == 0, "a thread could not be started: error \(code)")
        workers += 1
    }
}
