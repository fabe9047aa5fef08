internal import CProcessor
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Raised by the user in the middle of a computation whose result nobody wants any more. A signal handler may
/// raise it.
package final class Abandonment: Sendable {
    private let isRaised = Atomic<Bool>(false)

    package init() {}

    package var isSet: Bool {
        get { isRaised.load(ordering: .relaxed) }
        set { isRaised.store(newValue, ordering: .relaxed) }
    }
}

/// The one place that owns the processor's cores. Work is split into chunks whose arithmetic does not depend
/// on how it is split and who runs them, so results are equal for any number of threads. Each thread has a
/// share of the chunks that follow each other, the same share of the next job, whose input is then in its own
/// cache; whoever is done with its share takes from the others'.
///
/// A denoising loop comes back within microseconds, and to wake a sleeping core takes tens of them (more in a
/// virtual machine, whose idle core leaves it), so who waits looks again and again for a while before it
/// sleeps: of 36 prompts of the small model a third of the time was waking.
///
/// Unchecked Sendable: the job's fields are written by `run` before it raises `generation` and read by the
/// workers until `running` is zero again; these two atomics order the accesses.
package final class ThreadPool: @unchecked Sendable {
    package static let shared = ThreadPool()
    /// Where set and raised, chunks are no longer computed and results mean nothing: whoever sets it throws
    /// them away.
    @TaskLocal package static var abandonment: Abandonment?

    private let gate: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private let finished: UnsafeMutablePointer<pthread_cond_t>
    private let generation = Atomic<Int>(0)
    private let running = Atomic<Int>(0)
    private let workers = Atomic<Int>(0)
    private var chunkCount = 0
    private var shareCount = 0
    private var body: ((Int) -> Void)?
    /// For each thread the first chunk of its share that nobody has claimed, two cache lines apart.
    private let unclaimed: UnsafeMutablePointer<Atomic<Int>>
    private static let apart = 16
    private static let mostThreads = 256
    private let busy = Atomic<Bool>(false)
    /// What nobody waits for, and how many that are.
    private let chores = Mutex<[@Sendable () -> Void]>([])
    private let choreCount = Atomic<Int>(0)
    private let wanted: Atomic<Int>

    /// Threads that work at once, the caller included.
    package var threadCount: Int {
        get { wanted.load(ordering: .relaxed) }
        set { wanted.store(max(1, min(newValue, Self.mostThreads)), ordering: .relaxed) }
    }

    /// Whether a job given now would be computed by the calling thread alone: one from inside a chunk, say.
    /// To cut it up small would only cost.
    var isBusy: Bool { threadCount == 1 || busy.load(ordering: .relaxed) }

    /// How many of so many equal chunks the thread computes that has most of them.
    func mostPerThread(of chunks: Int) -> Int { isBusy ? chunks : (chunks + threadCount - 1) / threadCount }

    private init() {
        gate = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        finished = .allocate(capacity: 1)
        pthread_mutex_init(gate, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(finished, nil)
        unclaimed = .allocate(capacity: Self.mostThreads * Self.apart)
        for place in 0..<Self.mostThreads * Self.apart { (unclaimed + place).initialize(to: Atomic(0)) }
        wanted = Atomic(min(ProcessorShare.count, Self.mostThreads))
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

    /// Calls `body` once for each of 0..<parts, several at once, each wholly on one thread: what it runs
    /// inside is not shared out.
    package func runApart(_ parts: Int, _ body: (Int) -> Void) {
        // Workers do not inherit what is bound to the caller's task.
        let abandonment = Self.abandonment
        share(parts) { part in Self.$abandonment.withValue(abandonment) { body(part) } }
    }

    /// What two computations give that need nothing of each other, at once where there are threads. Where
    /// both fail the first one's error is thrown.
    package func both<First: Sendable, Second: Sendable>(
        _ first: () throws -> First, and second: () throws -> Second
    ) throws -> (First, Second) {
        let results = Mutex<(Result<First, any Error>?, Result<Second, any Error>?)>((nil, nil))
        runApart(2) { part in
            if part == 0 {
                let result = Result { try first() }
                results.withLock { $0.0 = result }
            } else {
                let result = Result { try second() }
                results.withLock { $0.1 = result }
            }
        }
        return try results.withLock { held in
            guard let first = held.0, let second = held.1 else {
                preconditionFailure("a part was not computed")
            }
            return (try first.get(), try second.get())
        }
    }

    private func share(_ chunks: Int, _ body: (Int) -> Void) {
        let wanted = min(threadCount, chunks) - 1
        guard wanted > 0, !busy.exchange(true, ordering: .acquiring) else {
            for chunk in 0..<chunks { body(chunk) }
            return
        }
        // Each has a stack, for which there may be no room: then there are fewer.
        while workers.load(ordering: .relaxed) < wanted, startWorker() {}
        let helpers = min(wanted, workers.load(ordering: .relaxed))
        guard helpers > 0 else {
            busy.store(false, ordering: .releasing)
            for chunk in 0..<chunks { body(chunk) }
            return
        }
        withoutActuallyEscaping(body) { body in
            self.body = body
            chunkCount = chunks
            shareCount = helpers + 1
            for index in 0...helpers {
                unclaimed[index * Self.apart].store(firstChunk(ofShare: index), ordering: .relaxed)
            }
            running.store(workers.load(ordering: .relaxed), ordering: .relaxed)
            pthread_mutex_lock(gate)
            generation.wrappingAdd(1, ordering: .releasing)
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(gate)

            work(body, share: 0)

            wait(at: finished) { running.load(ordering: .acquiring) == 0 }
            self.body = nil
        }
        busy.store(false, ordering: .releasing)
    }

    /// Has a worker do what nobody waits for when it has nothing else to do, in no order; without workers it
    /// is done at once.
    package func later(_ chore: @escaping @Sendable () -> Void) {
        guard threadCount > 1, workers.load(ordering: .relaxed) > 0 else { return chore() }
        chores.withLock { $0.append(chore) }
        choreCount.wrappingAdd(1, ordering: .releasing)
        pthread_mutex_lock(gate)
        pthread_cond_signal(wake)
        pthread_mutex_unlock(gate)
    }

    private func doChore() {
        guard choreCount.load(ordering: .acquiring) > 0, let chore = chores.withLock({ $0.popLast() }) else {
            return
        }
        choreCount.wrappingSubtract(1, ordering: .relaxed)
        chore()
    }

    private func firstChunk(ofShare index: Int) -> Int { index * chunkCount / shareCount }

    /// Claims chunks of the thread's own share, then of the others'.
    private func work(_ body: (Int) -> Void, share own: Int) {
        for step in 0..<shareCount {
            let share = (own + step) % shareCount, end = firstChunk(ofShare: share + 1)
            while true {
                let chunk = unclaimed[share * Self.apart].wrappingAdd(1, ordering: .relaxed).oldValue
                if chunk >= end { break }
                body(chunk)
            }
        }
    }

    /// - Parameter generation: Of the last job before the worker was started: not its own.
    private func work(index: Int, after generation: Int) {
        var seen = generation
        while true {
            while self.generation.load(ordering: .acquiring) == seen {
                wait(at: wake) {
                    self.generation.load(ordering: .acquiring) != seen
                        || self.choreCount.load(ordering: .acquiring) > 0
                }
                if self.generation.load(ordering: .acquiring) == seen { doChore() }
            }
            seen = self.generation.load(ordering: .acquiring)
            if index + 1 < shareCount, let body { work(body, share: index + 1) }
            guard running.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 else {
                continue
            }
            pthread_mutex_lock(gate)
            pthread_cond_signal(finished)
            pthread_mutex_unlock(gate)
        }
    }

    /// Returns once `isDone`: looks for a while, then sleeps until `condition` is signalled.
    private func wait(at condition: UnsafeMutablePointer<pthread_cond_t>, until isDone: () -> Bool) {
        let patience = ContinuousClock.now + .microseconds(200)
        repeat {
            for _ in 0..<32 {
                if isDone() { return }
                nb_pause()
            }
        } while ContinuousClock.now < patience
        pthread_mutex_lock(gate)
        while !isDone() { pthread_cond_wait(condition, gate) }
        pthread_mutex_unlock(gate)
    }

    /// False where the system has no room for another thread; none is asked for again.
    private func startWorker() -> Bool {
        final class Start {
            let pool: ThreadPool
            let index: Int
            let generation: Int
            init(_ pool: ThreadPool, _ index: Int, after generation: Int) {
                (self.pool, self.index, self.generation) = (pool, index, generation)
            }
        }
        let start = Unmanaged.passRetained(
            Start(self, workers.load(ordering: .relaxed), after: generation.load(ordering: .relaxed)))
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        // Signals belong to the main thread: a worker that took Ctrl-C would run the handler in the middle of
        // a kernel.
        var all = sigset_t(), before = sigset_t()
        sigfillset(&all)
        // A fault belongs to the thread that made it; blocked, it would end the process before any handler.
        for fault in [SIGBUS, SIGSEGV, SIGILL, SIGFPE] { sigdelset(&all, fault) }
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let code = pthread_create(
            &thread, nil,
            { argument in
                #if canImport(Glibc)
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                #else
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                #endif
                start.pool.work(index: start.index, after: start.generation)
                return nil
            }, start.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            start.release()
            threadCount = workers.load(ordering: .relaxed) + 1
            return false
        }
        workers.wrappingAdd(1, ordering: .relaxed)
        return true
    }
}
