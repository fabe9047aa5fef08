/// A piece of an output line as `verify` sees it: a number, a file of the output folder, or the text between
/// them.
struct OutputToken {
    enum Kind: Equatable {
        case text(String)
        case number(Double, isWhole: Bool)
        /// `3fa94c0d21be.png`
        case file(String)
    }

    var kind: Kind
    /// Number of column bars before it: which cell of a table row it stands in.
    var cell: Int

    static func tokens(of line: String) -> [OutputToken] {
        let bytes = Array(line.utf8)
        var tokens: [OutputToken] = []
        var text: [UInt8] = []
        var cell = 0
        func flush() {
            // Columns are padded to the width of what stands in them.
            let words = String(decoding: text, as: UTF8.self).split(separator: " ")
            if !words.isEmpty {
                tokens.append(OutputToken(kind: .text(words.joined(separator: " ")), cell: cell))
            }
            text = []
        }
        var i = 0
        while i < bytes.count {
            let isStart = i == 0 || !(bytes[i - 1].isWord)
            if isStart, let end = fileEnd(bytes, i) {
                flush()
                tokens.append(
                    OutputToken(kind: .file(String(decoding: bytes[i..<end], as: UTF8.self)), cell: cell))
                i = end
            } else if isStart, let (value, isWhole, end) = number(bytes, i) {
                flush()
                tokens.append(OutputToken(kind: .number(value, isWhole: isWhole), cell: cell))
                i = end
            } else {
                if bytes[i] == UInt8(ascii: "|"), i == 0 || bytes[i - 1] != UInt8(ascii: "\\") {
                    text.append(bytes[i])
                    flush()
                    cell += 1
                } else {
                    text.append(bytes[i])
                }
                i += 1
            }
        }
        flush()
        return tokens
    }

    /// Where a name of 12 or 64 hexadecimal digits with the ending of a picture, plot or table ends.
    private static func fileEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        var i = start
        while i < bytes.count, bytes[i].isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(bytes[i])
        { i += 1 }
        guard [12, 64].contains(i - start), i + 4 <= bytes.count else { return nil }
        return [".png", ".csv", ".svg"].contains(String(decoding: bytes[i..<i + 4], as: UTF8.self))
            ? i + 4 : nil
    }

    /// A number as the results print them: `-12`, `0.25`, `1.5e-07`.
    private static func number(_ bytes: [UInt8], _ start: Int) -> (value: Double, isWhole: Bool, end: Int)? {
        var i = start
        if bytes[i] == UInt8(ascii: "-") { i += 1 }
        let first = i
        while i < bytes.count, bytes[i].isDigit { i += 1 }
        guard i > first else { return nil }
        var isWhole = true
        if i + 1 < bytes.count, bytes[i] == UInt8(ascii: "."), bytes[i + 1].isDigit {
            isWhole = false
            i += 1
            while i < bytes.count, bytes[i].isDigit { i += 1 }
        }
        if i < bytes.count, bytes[i] == UInt8(ascii: "e") {
            var j = i + 1
            if j < bytes.count, bytes[j] == UInt8(ascii: "-") || bytes[j] == UInt8(ascii: "+") { j += 1 }
            let digits = j
            while j < bytes.count, bytes[j].isDigit { j += 1 }
            if j > digits { (isWhole, i) = (false, j) }
        }
        return Double(String(decoding: bytes[start..<i], as: UTF8.self)).map { ($0, isWhole, i) }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    /// Letters, digits, `_` and whatever is not ASCII.
    fileprivate var isWord: Bool {
        isDigit || self >= 128 || self == UInt8(ascii: "_")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }
}
