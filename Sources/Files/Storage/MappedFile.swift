internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A whole file mapped read-only into memory for the life of the object.
///
/// Sizes are checked when the file is opened. What another program cuts off of it while it is mapped reads as
/// zeros (`CutMapping`), and `reading.confirm()` tells that it was written over; whoever replaces a weight
/// file should rename the new one over it, as `AtomicFile` does, which leaves the mapped one intact.
///
/// Unchecked Sendable: the memory is never written, and it is unmapped only in `deinit`.
final class MappedFile: @unchecked Sendable {
    let path: String
    let bytes: UnsafeRawBufferPointer
    /// The file as it was opened.
    let reading: FileReading
    private let descriptor: Int32
    private let guarding: CutMapping.Slot?

    init(path: String) throws {
        let (descriptor, stamp) = try FileSystem.openForReading(path)
        var isOpened = false
        defer { if !isOpened { close(descriptor) } }
        // An empty mapping is an error of mmap.
        var mapped = UnsafeRawBufferPointer(start: nil, count: 0)
        if stamp.size > 0 {
            guard let start = mmap(nil, stamp.size, PROT_READ, MAP_PRIVATE, descriptor, 0),
                start != MAP_FAILED
            else {
                throw EngineError.system("cannot map the file into memory", path)
            }
            mapped = UnsafeRawBufferPointer(start: start, count: stamp.size)
        }
        isOpened = true
        self.path = path
        self.descriptor = descriptor
        bytes = mapped
        guarding = CutMapping.guarding(mapped)
        reading = FileReading(path: path, stamp: stamp, descriptor: descriptor)
        FileReading.witness?.note(reading, isKept: false)
    }

    deinit {
        reading.close()
        CutMapping.release(guarding)
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
        close(descriptor)
    }

    /// Asks the system to read a part ahead. A hint: nothing depends on it.
    func willNeed(_ range: Range<Int>) { advise(range, MADV_WILLNEED) }

    /// Tells the system that a part may leave memory, for instance once weights are packed. It stays
    /// readable.
    func dontNeed(_ range: Range<Int>) { advise(range, MADV_DONTNEED) }

    private func advise(_ range: Range<Int>, _ advice: Int32) {
        guard let start = bytes.baseAddress, range.upperBound <= bytes.count else { return }
        let page = Int(getpagesize())
        let lower = range.lowerBound / page * page
        // Not posix_madvise, whose DONTNEED does nothing on Linux. The mapping is read-only: what is let go
        // is read again from the file.
        _ = madvise(UnsafeMutableRawPointer(mutating: start + lower), range.upperBound - lower, advice)
    }
}
