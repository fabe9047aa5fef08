import Files
import Tensors

/// Reads a vocabulary, a flat JSON object from texts to whole numbers as vocab.json is one, ten times faster
/// than a general reader; and the merges of tokenizer.json.
struct VocabularyScanner {
    private let bytes: [UInt8]
    private let path: String
    private var place: Int
    private let end: Int

    static func read(path: String) throws -> TokenTable {
        let bytes = try FileSystem.readBytes(path, limit: TokenTable.mostBytes)
        return try table(in: bytes, at: 0..<bytes.count, path: path)
    }

    /// The vocabulary that fills a part of a file.
    static func table(in bytes: [UInt8], at place: Range<Int>, path: String) throws -> TokenTable {
        var scanner = VocabularyScanner(bytes: bytes, place: place, path: path)
        return try scanner.table()
    }

    /// A JSON array of merges: each a pair of tokens or, in older files, one text with a space between them.
    static func merges(in bytes: [UInt8], at place: Range<Int>, path: String) throws -> TokenizerFiles.Merges
    {
        var scanner = VocabularyScanner(bytes: bytes, place: place, path: path)
        return try scanner.merges()
    }

    private init(bytes: [UInt8], place: Range<Int>, path: String) {
        self.bytes = bytes
        self.path = path
        self.place = place.lowerBound
        end = place.upperBound
    }

    private mutating func merges() throws -> TokenizerFiles.Merges {
        var merges = TokenizerFiles.Merges()
        try expect("[")
        skipSpace()
        while peek != UInt8(ascii: "]") {
            if !merges.pairs.isEmpty { try expect(",") }
            skipSpace()
            var parts: [ArraySlice<UInt8>]
            if peek == UInt8(ascii: "[") {
                place += 1
                skipSpace()
                parts = [try token()]
                try expect(",")
                skipSpace()
                parts.append(try token())
                try expect("]")
            } else {
                parts = try token().split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            }
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw fault("merge \(merges.pairs.count + 1): expected two tokens")
            }
            let start = merges.bytes.count
            merges.bytes += parts[0]
            let middle = merges.bytes.count
            merges.bytes += parts[1]
            merges.pairs.append((start..<middle, middle..<merges.bytes.count))
            skipSpace()
        }
        return merges
    }

    private mutating func table() throws -> TokenTable {
        var table = TokenTable(capacity: (end - place) / 16)
        try expect("{")
        skipSpace()
        if peek == UInt8(ascii: "}") {
            place += 1
        } else {
            while true {
                skipSpace()
                let token = try token()
                try expect(":")
                table.insert(token, id: try number())
                skipSpace()
                if peek == UInt8(ascii: ",") {
                    place += 1
                    continue
                }
                try expect("}")
                break
            }
        }
        skipSpace()
        if peek != nil { throw fault("expected the end of the file") }
        return table
    }

    private var peek: UInt8? { place < end ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
    }

    private mutating func expect(_ mark: Unicode.Scalar) throws {
        skipSpace()
        guard peek == UInt8(ascii: mark) else { throw fault("expected \(mark)") }
        place += 1
    }

    private func fault(_ message: String) -> EngineError {
        EngineError(
            .format, "byte \(place): \(message)\(place >= end ? ", found the end of the file" : "")",
            place: path)
    }

    private mutating func number() throws -> Int {
        skipSpace()
        let start = place
        var value = 0
        while let byte = peek, (0x30...0x39).contains(byte) {
            value = value * 10 + Int(byte - 0x30)
            guard value < TokenTable.idLimit else { throw fault("expected ids below \(TokenTable.idLimit)") }
            place += 1
        }
        guard place > start else { throw fault("expected a whole number as the token's id") }
        return value
    }

    /// UTF-8 of a JSON text.
    private mutating func token() throws -> ArraySlice<UInt8> {
        guard peek == UInt8(ascii: "\"") else { throw fault("expected a text in quotation marks") }
        place += 1
        let start = place
        skipPlain()
        if peek == UInt8(ascii: "\"") {
            defer { place += 1 }
            return bytes[start..<place]
        }
        // Escapes may be halves of a surrogate pair, so the rest is gathered in UTF-16.
        var units = Array(String(decoding: bytes[start..<place], as: UTF8.self).utf16)
        while let byte = peek {
            if byte == UInt8(ascii: "\"") {
                place += 1
                return ArraySlice(String(decoding: units, as: UTF16.self).utf8)
            }
            if byte == UInt8(ascii: "\\") {
                units.append(try escape())
            } else {
                let start = place
                skipPlain()
                units += Array(String(decoding: bytes[start..<place], as: UTF8.self).utf16)
            }
        }
        throw fault("expected a closing quotation mark")
    }

    private mutating func skipPlain() {
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { place += 1 }
    }

    private mutating func escape() throws -> UInt16 {
        place += 1
        guard let kind = peek else { throw fault("expected an escape") }
        place += 1
        switch kind {
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt16(kind)
        case UInt8(ascii: "u"):
            guard place + 4 <= end,
                let value = UInt16(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16)
            else {
                throw fault("expected four hexadecimal digits")
            }
            place += 4
            return value
        default: throw fault("unknown escape")
        }
    }
}
