internal import CPictures
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

extension PNG {
    /// The bytes of a PNG file, 8-bit RGB or RGBA, with text chunks before the pixels. Compression level and
    /// filters are fixed: the same picture gives the same bytes with the same zlib.
    ///
    /// - Parameter text: keys of 1 to 79 Latin-1 characters; values without zero characters, stored as tEXt
    ///   where they are Latin-1, else as iTXt.
    package static func encode(_ bitmap: Bitmap, text: [(key: String, value: String)] = []) throws -> [UInt8]
    {
        for (key, value) in text {
            guard latinBytes(key) != nil, (1...79).contains(key.unicodeScalars.count),
                !key.unicodeScalars.contains("\0"), !value.unicodeScalars.contains("\0")
            else {
                throw EngineError(
                    .text, "cannot be kept in a PNG: \"\(key)\"",
                    cure: "a key has 1 to 79 Latin-1 characters, nothing has a zero character")
            }
        }
        var copies: [UnsafeMutablePointer<CChar>] = []
        defer { for copy in copies { copy.deallocate() } }
        func kept(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
            for (i, byte) in bytes.enumerated() { copy[i] = CChar(bitPattern: byte) }
            copy[bytes.count] = 0
            copies.append(copy)
            return UnsafePointer(copy)
        }
        let notes = text.map { key, value in
            let plain = latinBytes(value)
            return nb_png_note(
                key: kept(latinBytes(key) ?? []), text: kept(plain ?? Array(value.utf8)),
                international: plain == nil ? 1 : 0)
        }
        var out: UnsafeMutablePointer<UInt8>?
        var count = 0
        var message = [CChar](repeating: 0, count: 160)
        let failed = nb_png_write(
            bitmap.samples, UInt32(bitmap.width), UInt32(bitmap.height), Int32(bitmap.channels), notes,
            Int32(notes.count), &out, &count, &message)
        guard failed == 0, let out else {
            let reason = String(
                decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw EngineError(
                .format, "the picture of \(bitmap.width) x \(bitmap.height) cannot be written: \(reason)")
        }
        defer { free(out) }
        return Array(UnsafeBufferPointer(start: out, count: count))
    }

    package static func write(_ bitmap: Bitmap, text: [(key: String, value: String)] = [], to path: String)
        throws
    {
        try AtomicFile.write(encode(bitmap, text: text), to: path)
    }

    /// Latin-1 where every character has such a byte and is printable there, else nil.
    private static func latinBytes(_ text: String) -> [UInt8]? {
        let scalars = text.unicodeScalars
        let fits = scalars.allSatisfy {
            ($0.value >= 0x20 && $0.value < 0x7f) || ($0.value >= 0xa1 && $0.value <= 0xff) || $0 == "\n"
        }
        return fits ? scalars.map { UInt8($0.value) } : nil
    }
}
