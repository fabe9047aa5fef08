#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The most memory that the process has held resident.
enum PeakMemory {
    /// Begins anew where the system can (Linux, see proc(5) on clear_refs); elsewhere the peak is that of the
    /// whole process.
    static func reset() {
        guard let file = fopen("/proc/self/clear_refs", "w") else { return }
        fputs("5", file)
        fclose(file)
    }

    static var bytes: Double {
        if let kilobytes = highWaterMark() { return kilobytes * 1024 }
        var usage = rusage()
        // RUSAGE_SELF is 0 on every system, but an enumeration in Glibc and a number in Darwin.
        getrusage(0, &usage)
        #if os(Linux)
        return Double(usage.ru_maxrss) * 1024
        #else
        return Double(usage.ru_maxrss)
        #endif
    }

    /// `VmHWM:   12345 kB` of /proc/self/status.
    private static func highWaterMark() -> Double? {
        guard let file = fopen("/proc/self/status", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = String(
                decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard line.hasPrefix("VmHWM:") else { continue }
            return Double(line.dropFirst(6).filter(\.isNumber))
        }
        return nil
    }
}
