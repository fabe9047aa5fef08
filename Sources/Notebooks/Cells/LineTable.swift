/// Where the lines of a file stand, with the line ends that CommonMark knows: LF, CRLF and a lone CR.
/// Lines count from 1, as cmark's positions do; offsets are in bytes.
package struct LineTable: Sendable {
    private var starts: [Int] = []
    private var contentEnds: [Int] = []
    private var size: Int

    package init(_ bytes: [UInt8]) {
        size = bytes.count
        var start = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == 0x0A || byte == 0x0D else {
                index += 1
                continue
            }
            starts.append(start)
            contentEnds.append(index)
            index += byte == 0x0D && index + 1 < bytes.count && bytes[index + 1] == 0x0A ? 2 : 1
            start = index
        }
        if start < bytes.count {
            starts.append(start)
            contentEnds.append(bytes.count)
        }
    }

    package var count: Int { starts.count }

    /// Offset of the first byte of line `line`; the file's size for a line behind the last.
    package func start(of line: Int) -> Int {
        line >= 1 && line <= count ? starts[line - 1] : (line < 1 ? 0 : size)
    }

    /// Bytes of line `line` without its line end.
    package func content(of line: Int) -> Range<Int> {
        guard line >= 1, line <= count else { return size..<size }
        return starts[line - 1]..<contentEnds[line - 1]
    }

    /// The bytes that end line `line`: empty for a last line without a line end.
    package func lineEnd(of line: Int) -> Range<Int> {
        guard line >= 1, line <= count else { return size..<size }
        return contentEnds[line - 1]..<start(of: line + 1)
    }

    /// The bytes of the lines `lines`, line ends included.
    package func bytes(of lines: ClosedRange<Int>) -> Range<Int> {
        start(of: lines.lowerBound)..<start(of: lines.upperBound + 1)
    }
}
