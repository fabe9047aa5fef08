import Kernels

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// What may still be taken of memory: the smallest of what is free on the machine, what the control group may
/// have beyond what it has, and what the process may have beyond what it has. What takes much is reckoned
/// before it is taken and refused with both numbers where it cannot fit: an allocation that fails ends the
/// process, and one that succeeds on paper ends it later, or another one.
///
/// Reckonings are low rather than high: to refuse what would have fitted is worse than to run out of memory a
/// little later.
package enum MemoryBudget {
    /// For tests: what is left, whatever the machine has.
    @TaskLocal package static var left: Int?

    /// Less is not worth the reading of half a dozen files, 0.1 ms.
    private static let smallest = 32 << 20
    /// A value in a list or a column: its reference and what that refers to.
    package static let bytesPerValue = 48

    /// Throws where so many bytes cannot fit.
    /// - Parameters:
    ///   - bytes: a sum that does not fit into a whole number is given as `Int.max`.
    ///   - what: "4 latents of 4 x 512 x 512".
    ///   - cure: what the user can do about it.
    package static func check(
        _ bytes: Int, for what: @autoclosure () -> String,
        cure: @autoclosure () -> String = "take less at a time, or give the program more memory"
    ) throws {
        guard bytes >= smallest || left != nil, bytes > available else { return }
        // What was freed may be kept for the next of its size.
        BufferPool.empty()
        let free = available
        guard bytes > free else { return }
        throw EngineError(
            .memory, "\(what()) would take \(text(bytes)), and \(text(free)) of memory are free", cure: cure()
        )
    }

    /// Of floats, whose number may be beyond all bounds.
    package static func check(
        floats shape: [Int], times count: Int = 1, for what: @autoclosure () -> String,
        cure: @autoclosure () -> String = "take less at a time, or give the program more memory"
    ) throws {
        try check(product(shape + [count, MemoryLayout<Float>.stride]), for: what(), cure: cure())
    }

    /// The product of numbers that are not negative, or `Int.max`.
    package static func product(_ factors: [Int]) -> Int {
        factors.reduce(1) { product, factor in
            let (next, overflow) = product.multipliedReportingOverflow(by: max(0, factor))
            return overflow ? .max : next
        }
    }

    package static func sum(_ a: Int, _ b: Int) -> Int {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    /// "1.3 GB", "640.0 MB".
    package static func text(_ bytes: Int) -> String {
        if bytes == .max { return "more memory than there is anywhere" }
        let (unit, name) =
            bytes >= 1_000_000_000_000 ? (1e12, "TB") : bytes >= 1_000_000_000 ? (1e9, "GB") : (1e6, "MB")
        let tenths = Int((Double(max(0, bytes)) / unit * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(name)"
    }

    /// Bytes that can still be had.
    package static var available: Int {
        if let left { return left }
        return max(0, [machine, group, process].compactMap { $0 }.min() ?? .max)
    }

    /// What the machine has, whoever uses it.
    package static var installed: Int {
        max(1, sysconf(Int32(_SC_PHYS_PAGES))) * max(1, sysconf(Int32(_SC_PAGESIZE)))
    }

    // MARK: What there is

    /// What the kernel could give without harm; swap counts, as it is slow and no failure.
    private static var machine: Int? {
        #if canImport(Glibc)
        guard let text = read("/proc/meminfo"), let free = field("MemAvailable:", text) else { return nil }
        return (free + (field("SwapFree:", text) ?? 0)) * 1024
        #else
        return installed
        #endif
    }

    /// What the limits of the process's control group, and of those around it, leave. Pages of files count as
    /// free: they go when they must.
    private static var group: Int? {
        guard let text = read("/proc/self/cgroup") else { return nil }
        var least: Int?
        func consider(_ folder: String, limit: String, use: String) {
            guard let most = read(folder + "/" + limit).flatMap(number), most < 1 << 60,
                let used = read(folder + "/" + use).flatMap(number)
            else { return }
            let statistics = read(folder + "/memory.stat") ?? ""
            let files = (field("inactive_file", statistics) ?? 0) + (field("active_file", statistics) ?? 0)
            least = min(least ?? .max, most - max(0, used - files))
        }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let isUnified = parts[1].isEmpty
            guard isUnified || parts[1].split(separator: ",").contains("memory") else { continue }
            let root = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
            // Inside of a container the path may be the host's, which is not there: then the root is the
            // container's own.
            var path = parts[2] == "/" ? "" : String(parts[2])
            while true {
                if isUnified {
                    consider(root + path, limit: "memory.max", use: "memory.current")
                } else {
                    consider(root + path, limit: "memory.limit_in_bytes", use: "memory.usage_in_bytes")
                }
                guard let slash = path.lastIndex(of: "/") else { break }
                path = String(path[..<slash])
            }
        }
        return least
    }

    /// What `ulimit -v` and `ulimit -d` leave.
    private static var process: Int? {
        var least: Int?
        let pages =
            read("/proc/self/statm")?.split(separator: " ").compactMap { Int($0.filter(\.isNumber)) } ?? []
        let size = max(1, sysconf(Int32(_SC_PAGESIZE)))
        for (limit, column) in [(ProcessLimit.addresses, 0), (.data, 5)] {
            guard let most = limit.bytes, pages.count > column else { continue }
            least = min(least ?? .max, most - pages[column] * size)
        }
        return least
    }

    private static func number(_ text: String) -> Int? { Int(text.prefix { $0.isNumber }) }

    /// The number behind a word at the beginning of a line.
    private static func field(_ name: String, _ text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let rest = line.dropFirst(name.count)
            guard rest.first.map({ $0 == " " || $0 == "\t" }) ?? false else { continue }
            return number(String(rest.drop { $0 == " " || $0 == "\t" }))
        }
        return nil
    }

    /// A small file of the kernel's.
    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 16) { room in
            var count = 0
            while count < room.count, let base = room.baseAddress {
                #if canImport(Glibc)
                let found = Glibc.read(descriptor, base + count, room.count - count)
                #else
                let found = Darwin.read(descriptor, base + count, room.count - count)
                #endif
                if found < 0, errno == EINTR { continue }
                guard found > 0 else { break }
                count += found
            }
            return count > 0 ? String(decoding: room[..<count], as: UTF8.self) : nil
        }
    }
}
