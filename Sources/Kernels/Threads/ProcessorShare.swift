internal import CProcessor

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How many of the machine's processors this process may use: those it is bound to, and no more than its
/// control groups give it time for.
package enum ProcessorShare {
    /// At least 1.
    package static let count: Int = max(1, min(bound ?? online, quota ?? .max))

    private static var online: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Processors of the affinity mask, which `taskset`, a container or a job scheduler sets.
    private static var bound: Int? {
        // The system tells by an error that its mask is longer.
        for size in [128, 1024, 8192, 65_536] {
            let mask = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            defer { mask.deallocate() }
            mask.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            guard nb_affinity(UInt(size), mask) > 0 else { continue }
            let bits = UnsafeRawBufferPointer(start: mask, count: size).reduce(0) { $0 + $1.nonzeroBitCount }
            return bits > 0 ? bits : nil
        }
        return nil
    }

    private static var quota: Int? {
        guard let groups = text(of: "/proc/self/cgroup"), let mounts = text(of: "/proc/self/mountinfo") else {
            return nil
        }
        return quota(groups: groups, mounts: mounts, read: text)
    }

    /// The smallest quota of a process's control groups and of those above them, in whole processors, rounded
    /// up; nil where there is none.
    /// - Parameters:
    ///   - groups: `/proc/self/cgroup`: lines `ID:CONTROLLERS:PATH`, of version 2 with ID 0 and no
    ///     controllers.
    ///   - mounts: `/proc/self/mountinfo`, which tells where the groups' files are.
    ///   - read: gives a file's text, nil where it is not there.
    package static func quota(groups: String, mounts: String, read: (String) -> String?) -> Int? {
        let mounts = mounts.split(separator: "\n").compactMap { GroupMount($0) }
        let quotas = groups.split(separator: "\n").flatMap { line -> [Double] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let isSecond = fields[0] == "0" && fields[1].isEmpty
            guard isSecond || fields[1].split(separator: ",").contains("cpu") else { return [] }
            guard let mount = mounts.first(where: { isSecond ? $0.isSecond : $0.hasProcessors }) else {
                return []
            }
            return mount.folders(of: String(fields[2])).compactMap { folder in
                isSecond
                    ? read(folder + "/cpu.max").flatMap(share)
                    : read(folder + "/cpu.cfs_quota_us").flatMap { quota in
                        read(folder + "/cpu.cfs_period_us").flatMap { share("\(quota) \($0)") }
                    }
            }
        }
        return quotas.min().map { max(1, Int($0.rounded(.up))) }
    }

    /// Processors of "150000 100000": microseconds of time in each period. nil for "max" and for -1, and
    /// where it makes no sense.
    private static func share(_ text: String) -> Double? {
        let numbers = text.split { $0.isWhitespace }.map { Double($0) }
        guard numbers.count == 2, let time = numbers[0], let period = numbers[1], time > 0, period > 0,
            time / period < 1e6
        else { return nil }
        return time / period
    }

    /// A line of mountinfo that mounts control groups.
    private struct GroupMount {
        /// The group that is seen at `place`.
        let root: String
        let place: String
        let isSecond: Bool
        /// Whether it is the first version's group of processor time.
        let hasProcessors: Bool

        /// `36 35 98:0 /ROOT /PLACE rw,noatime shared:1 - cgroup cgroup rw,cpu,cpuacct`
        init?(_ line: Substring) {
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 1,
                fields[dash + 1].hasPrefix("cgroup")
            else { return nil }
            (root, place) = (Self.unescaped(fields[3]), Self.unescaped(fields[4]))
            isSecond = fields[dash + 1] == "cgroup2"
            hasProcessors = !isSecond && (fields.last ?? "").split(separator: ",").contains("cpu")
        }

        /// Spaces and the like stand as `\040`.
        private static func unescaped(_ text: String) -> String {
            var bytes: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while let first = rest.popFirst() {
                if first == UInt8(ascii: "\\"), rest.count >= 3,
                    let byte = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
                {
                    bytes.append(byte)
                    rest = rest.dropFirst(3)
                } else {
                    bytes.append(first)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// The folder of a group and those of the groups above it, as far as they are to be seen. Where a
        /// container shows its own group as the root, the path may be the machine's, and only the root is
        /// there.
        func folders(of path: String) -> [String] {
            var inner = path
            if root != "/", inner == root || inner.hasPrefix(root + "/") {
                inner = String(inner.dropFirst(root.count))
            }
            var names = inner.split(separator: "/").map(String.init)
            // Outside of what is to be seen.
            if names.contains("..") { names = [] }
            let base = place == "/" ? "" : place
            return (0...names.count).map { ([base] + names.prefix($0)).joined(separator: "/") }
        }
    }

    /// Files of the system have no size and are short.
    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < 1 << 22 {
            let part = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
            }
            if part.isEmpty { break }
            bytes += part
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
