/// From text to the words that byte pairs are merged in: Unicode form C, every run of white space one space,
/// lower case by character, then CLIP's pattern
/// `<|startoftext|>|<|endoftext|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+`, white space left
/// out. Form C comes from the standard library: full Foundation with its Unicode tables would cost tens of
/// milliseconds at start.
enum WordSplitter {
    /// UTF-8 in, UTF-8 out.
    static func normalised(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var inSpace = false
        if bytes.allSatisfy({ $0 < 0x80 }) {
            for byte in bytes {
                let isSpace = byte == 0x20 || (0x09...0x0D).contains(byte)
                if !(isSpace && inSpace) {
                    out.append(isSpace ? 0x20 : (0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
                }
                inSpace = isSpace
            }
            return out
        }
        let composed = String(decoding: String(decoding: bytes, as: UTF8.self)._nfcCodeUnits, as: UTF8.self)
        for scalar in composed.unicodeScalars {
            let isSpace = scalar.properties.isWhitespace
            if isSpace {
                if !inSpace { out.append(0x20) }
            } else if scalar.isASCII {
                let byte = UInt8(truncatingIfNeeded: scalar.value)
                out.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
            } else {
                out.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
            }
            inSpace = isSpace
        }
        return out
    }

    /// Calls `body` with the UTF-8 of each word of normalised text.
    static func forEachWord(in bytes: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) -> Void) {
        var place = bytes.startIndex
        while place < bytes.endIndex {
            let first = scalar(in: bytes, at: place)
            let start = place
            switch first.kind {
            case .space:
                place += first.length
                continue
            case .number:
                place += first.length
            case .letter:
                place = endOfRun(of: .letter, in: bytes, from: place)
            case .other:
                if let end = endOfContraction(in: bytes, at: place) {
                    place = end
                } else if let name = markers.first(where: { bytes[place...].starts(with: $0) }) {
                    // Not a special token of this vocabulary: the byte-level stage's own pattern splits it
                    // once more.
                    body(bytes[place..<place + 2])
                    body(bytes[place + 2..<place + name.count - 2])
                    place += name.count
                    body(bytes[place - 2..<place])
                    continue
                } else {
                    place = endOfRun(of: .other, in: bytes, from: place)
                }
            }
            body(bytes[start..<place])
        }
    }

    private static let markers = ["<|startoftext|>", "<|endoftext|>"].map { Array($0.utf8) }
    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.utf8) }

    private enum Kind { case letter, number, space, other }

    private static func endOfContraction(in bytes: ArraySlice<UInt8>, at place: Int) -> Int? {
        guard bytes[place] == UInt8(ascii: "'") else { return nil }
        return contractions.first { bytes[place...].starts(with: $0) }.map { place + $0.count }
    }

    private static func endOfRun(of kind: Kind, in bytes: ArraySlice<UInt8>, from start: Int) -> Int {
        var place = start
        while place < bytes.endIndex {
            let next = scalar(in: bytes, at: place)
            if next.kind != kind { break }
            place += next.length
        }
        return place
    }

    private static func scalar(in bytes: ArraySlice<UInt8>, at place: Int) -> (kind: Kind, length: Int) {
        let byte = bytes[place]
        if byte < 0x80 {
            switch byte {
            case 0x61...0x7A, 0x41...0x5A: return (.letter, 1)
            case 0x30...0x39: return (.number, 1)
            case 0x20, 0x09...0x0D: return (.space, 1)
            default: return (.other, 1)
            }
        }
        var iterator = bytes[place...].prefix(4).makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return (.other, 1) }
        return (kind(of: scalar), UTF8.width(scalar))
    }

    /// The reference's tables are those of Unicode 16: what was assigned later is no letter there.
    private static let newestUnicode = 16

    static func isTooNew(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.age.map { $0.major > newestUnicode } ?? false
    }

    private static func kind(of scalar: Unicode.Scalar) -> Kind {
        if isTooNew(scalar) { return .other }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return .letter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: return scalar.properties.isWhitespace ? .space : .other
        }
    }
}
