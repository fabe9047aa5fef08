internal import CFileSystem
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A file that another program cuts while it is mapped has no memory behind its end, and the next touch would
/// end the process with SIGBUS, and the user's session with it. The handler puts zeros there instead; who
/// uses the file asks whether it was written over before a result is kept.
enum CutMapping {
    struct Slot { fileprivate let index: Int }

    /// Mappings at once that are guarded.
    private static let most = 1024
    /// First and last address of each, zeros where none is: a handler may neither allocate nor lock. Safe:
    /// written once, within the lock of `free` and before the handler is there to read it; what it leads to
    /// is atomic.
    nonisolated(unsafe) private static var bounds: UnsafeMutablePointer<Atomic<UInt>>?
    /// What a fault that is not ours is left to. Safe: written once, by the call that installs the handler,
    /// which alone reads it.
    nonisolated(unsafe) private static var before = sigaction()
    private static let free = Mutex<[Int]?>(nil)

    /// nil where there is nothing to guard, or no room for it.
    static func guarding(_ bytes: UnsafeRawBufferPointer) -> Slot? {
        guard let start = bytes.baseAddress else { return nil }
        return free.withLock { free in
            if free == nil {
                install()
                free = Array(0..<most)
            }
            guard let index = free?.popLast(), let bounds else { return nil }
            let first = UInt(bitPattern: start)
            (bounds + 2 * index).pointee.store(first, ordering: .relaxed)
            (bounds + 2 * index + 1).pointee.store(first + UInt(bytes.count), ordering: .releasing)
            return Slot(index: index)
        }
    }

    static func release(_ slot: Slot?) {
        guard let slot, let bounds else { return }
        free.withLock { free in
            (bounds + 2 * slot.index + 1).pointee.store(0, ordering: .releasing)
            free?.append(slot.index)
        }
    }

    private static func install() {
        let made = UnsafeMutablePointer<Atomic<UInt>>.allocate(capacity: 2 * most)
        for index in 0..<2 * most { (made + index).initialize(to: Atomic(0)) }
        bounds = made
        var action = sigaction()
        let handler:
            @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void = {
                _, information, _ in
                if !CutMapping.fill(UInt(bitPattern: nb_fault_address(information))) {
                    // Not ours: whoever was asked before sees the same fault again.
                    sigaction(SIGBUS, &CutMapping.before, nil)
                }
            }
        #if canImport(Glibc)
        action.__sigaction_handler.sa_sigaction = handler
        #else
        action.__sigaction_u.__sa_sigaction = handler
        #endif
        action.sa_flags = SA_SIGINFO | SA_ONSTACK
        sigaction(SIGBUS, &action, &before)
    }

    /// Whether the address lies in a guarded mapping, whose rest from there on is then zeros.
    private static func fill(_ address: UInt) -> Bool {
        guard let bounds else { return false }
        for index in 0..<most {
            let end = (bounds + 2 * index + 1).pointee.load(ordering: .acquiring)
            guard address < end, address >= (bounds + 2 * index).pointee.load(ordering: .relaxed) else {
                continue
            }
            let page = UInt(getpagesize())
            let start = address / page * page
            let made = mmap(
                UnsafeMutableRawPointer(bitPattern: start), Int(end - start), PROT_READ,
                MAP_PRIVATE | MAP_FIXED | nb_anonymous(), -1, 0)
            return made != MAP_FAILED
        }
        return false
    }
}
