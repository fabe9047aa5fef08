internal import CFileSystem
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Reading of ordinary files.
extension FileSystem {
    /// The whole file. A longer one than `limit` bytes is an error before more than `limit` bytes are read.
    /// - Parameter isNoted: whether `FileReading.witness` learns of it; what the program itself stored is no
    ///   source of anything.
    package static func readBytes(_ path: String, limit: Int = 1 << 31, isNoted: Bool = true) throws
        -> [UInt8]
    {
        let (descriptor, stamp) = try openForReading(path)
        defer { close(descriptor) }
        if stamp.size > limit { throw tooLong(path, limit: limit) }
        let bytes = try all(of: descriptor, path, known: stamp.size, limit: limit)
        if isNoted, let witness = FileReading.witness {
            witness.note(FileReading(path: path, stamp: stamp, bytes: bytes), isKept: false)
        }
        return bytes
    }

    /// What comes in by standard input, which may be a pipe or a terminal.
    package static func readStandardInput(limit: Int = 1 << 28) throws -> String {
        let name = "standard input"
        let bytes = try all(of: STDIN_FILENO, name, known: 0, limit: limit)
        try UTF8Text.check(0..<bytes.count, of: bytes, in: name)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func all(of descriptor: Int32, _ path: String, known: Int, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(known)
        let chunk = min(max(known, 1 << 16), 1 << 22)
        try withUnsafeTemporaryAllocation(byteCount: chunk, alignment: 16) { buffer in
            while true {
                let got = read(descriptor, buffer.baseAddress, chunk)
                if got < 0 {
                    if errno == EINTR { continue }
                    throw EngineError.system("cannot read the file", path)
                }
                if got == 0 { return }
                if bytes.count + got > limit { throw tooLong(path, limit: limit) }
                bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            }
        }
        return bytes
    }

    /// Copies a file, that behind a link where it is one. The copy shares its blocks with the original where
    /// the file system can do that, until one of the two is written to; it is never the same file.
    /// - Parameter stamp: of the file that is meant; another one there now, or one that changes meanwhile, is
    ///   an error.
    package static func copy(
        _ source: String, to target: String, expecting stamp: FileStamp? = nil, durable: Bool = false
    ) throws {
        let (descriptor, before) = try openForReading(source)
        defer { close(descriptor) }
        func changed() -> EngineError {
            EngineError(
                .file, "was changed after it was opened", place: source,
                cure: "open it again when whatever writes there has finished")
        }
        if let stamp, stamp != before { throw changed() }
        try AtomicFile.write(to: target, durable: durable) { try $0.copy(descriptor) }
        if FileStamp(descriptor: descriptor) != before { throw changed() }
    }

    /// A part of an open file, wherever its position is. A file that ends before is an error.
    static func readPart(_ descriptor: Int32, _ range: Range<Int>, path: String) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            try readPart(
                descriptor, at: range.lowerBound,
                into: UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count]),
                path: path)
            count = range.count
        }
    }

    /// Fills the buffer.
    static func readPart(
        _ descriptor: Int32, at start: Int, into buffer: UnsafeMutableRawBufferPointer, path: String
    ) throws {
        var done = 0
        while done < buffer.count {
            let got = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(start + done))
            if got < 0, errno == EINTR { continue }
            if got < 0 { throw EngineError.system("cannot read the file", path) }
            if got == 0 {
                throw EngineError(
                    .file, "the file became shorter while it was read", place: path, cure: "run it again")
            }
            done += got
        }
    }

    /// The first bytes of a file, fewer where it is shorter.
    package static func readPrefix(_ path: String, count: Int) throws -> [UInt8] {
        let (descriptor, _) = try openForReading(path)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress.map { $0 + done }, count - done)
            }
            if got < 0 {
                if errno == EINTR { continue }
                throw EngineError.system("cannot read the file", path)
            }
            if got == 0 { break }
            done += got
        }
        return Array(bytes.prefix(done))
    }

    /// The whole file as text; bytes that are not UTF-8 are an error.
    package static func readText(_ path: String, limit: Int = 1 << 28) throws -> String {
        let bytes = try readBytes(path, limit: limit)
        try UTF8Text.check(0..<bytes.count, of: bytes, in: path)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Opens an ordinary file, and tells how it is then. Never waits: what is a pipe, a device or a socket is
    /// an error at once.
    static func openForReading(_ path: String) throws -> (descriptor: Int32, stamp: FileStamp) {
        let descriptor = try FileGate.current.open(path, O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ENXIO ? unusual("socket", path) : EngineError.system("cannot open the file", path)
        }
        do {
            return (descriptor, FileStamp(try checkedOrdinary(descriptor, path)))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Throws for what is open and no ordinary file.
    static func checkedOrdinary(_ descriptor: Int32, _ path: String) throws -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw EngineError.system("cannot open the file", path) }
        switch status.kind {
        case S_IFREG: return status
        case S_IFDIR: throw EngineError(.file, "expected a file, found a folder", place: path)
        case S_IFIFO: throw unusual("pipe", path)
        default: throw unusual("device", path)
        }
    }

    private static func unusual(_ kind: String, _ path: String) -> EngineError {
        EngineError(.file, "expected an ordinary file, found a \(kind)", place: path)
    }
}
