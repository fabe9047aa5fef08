internal import CMarkdown
import Tensors

/// The top-level blocks of a Markdown text that matter here, at the positions that cmark gives them. GitHub's
/// extensions (tables, footnotes) are left off: none of them changes where a top-level fence or comment
/// begins or ends.
struct MarkdownBlocks {
    private enum Block {
        case fence(info: String, code: String, closingLength: Int, character: UInt8)
        case html(String)
        /// Code by its indentation.
        case indented(String)
        case other
    }

    private var blocks: [(block: Block, lines: ClosedRange<Int>)] = []

    init(_ bytes: [UInt8]) {
        // Checked, or a fence with other bytes in its first line would be none.
        let root = bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                cmark_parse_document($0.baseAddress, $0.count, CMARK_OPT_VALIDATE_UTF8)
            }
        }
        guard let root else { return }
        defer { cmark_node_free(root) }
        var next = cmark_node_first_child(root)
        while let node = next {
            next = cmark_node_next(node)
            let start = max(Int(cmark_node_get_start_line(node)), 1)
            let lines = start...max(Int(cmark_node_get_end_line(node)), start)
            blocks.append((Self.block(node), lines))
        }
    }

    private static func block(_ node: OpaquePointer) -> Block {
        let type = cmark_node_get_type(node)
        if type == CMARK_NODE_HTML_BLOCK { return .html(text(cmark_node_get_literal(node))) }
        guard type == CMARK_NODE_CODE_BLOCK else { return .other }
        var length: CInt = 0
        var offset: CInt = 0
        var character: CChar = 0
        guard cmark_node_get_fenced(node, &length, &offset, &character) != 0 else {
            return .indented(text(cmark_node_get_literal(node)))
        }
        return .fence(
            info: text(cmark_node_get_fence_info(node)), code: text(cmark_node_get_literal(node)),
            closingLength: Int(length), character: UInt8(bitPattern: character))
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        pointer.map { String(cString: $0) } ?? ""
    }

    /// The cells with their output regions. `text` holds the file's lines without their ends.
    func cells(text: [String], name: String) throws -> [Cell] {
        var cells: [Cell] = []
        for (position, (block, lines)) in blocks.enumerated() {
            guard case .fence(let info, let code, let length, let character) = block else { continue }
            let header: CellHeader
            do {
                guard let read = try CellHeader(info: info) else { continue }
                header = read
            } catch {
                throw EngineError(.format, "line \(lines.lowerBound): \(error.description)", place: name)
            }
            let closed = Self.isClosed(lines, text, length, character)
            var cell = Cell(
                index: cells.count, header: header, code: Self.unifyingLineEnds(code), fenceLines: lines,
                isClosed: closed, outputLines: nil)
            cell.outputLines = try region(behind: position, cell: cell, text: text, name: name)
            cells.append(cell)
        }
        return cells
    }

    /// The lines of closed fences that are no cells: what stands there is shown and not read.
    func quotations(text: [String]) -> [ClosedRange<Int>] {
        blocks.compactMap { block, lines in
            guard case .fence(let info, _, let length, let character) = block, !CellHeader.isCell(info: info)
            else { return nil }
            return Self.isClosed(lines, text, length, character) ? lines : nil
        }
    }

    /// Output regions that stand behind no cell; without its end, the line of the first marker alone.
    func orphans(_ cells: [Cell]) -> [(lines: ClosedRange<Int>, isWhole: Bool)] {
        var known = cells.compactMap(\.outputLines)[...]
        var found: [(lines: ClosedRange<Int>, isWhole: Bool)] = []
        var start: Int?
        for (block, lines) in blocks {
            while let region = known.first, region.upperBound < lines.lowerBound { known.removeFirst() }
            if known.first?.contains(lines.lowerBound) == true { continue }
            if let open = start, isMarker(block, Notebook.regionEnd) {
                found.append((open...lines.upperBound, true))
                start = nil
                continue
            }
            let begins = isMarker(block, Notebook.regionStart)
            var endsSearch = begins
            if case .fence(let info, _, _, _) = block, CellHeader.isCell(info: info) { endsSearch = true }
            if endsSearch, let open = start {
                found.append((open...open, false))
                start = nil
            }
            if begins { start = lines.lowerBound }
        }
        if let start { found.append((start...start, false)) }
        return found
    }

    /// Fences that look like cells and are none: their first lines, and what to write.
    var nearMisses: [(line: Int, header: String)] {
        blocks.compactMap { block, lines in
            switch block {
            case .fence(let info, _, _, _): CellHeader.meant(by: info).map { (lines.lowerBound, $0) }
            case .indented(let code):
                // By a tab, say: Markdown takes four columns for code.
                code.split(whereSeparator: \.isNewline).first.flatMap { line -> String? in
                    let text = line.drop { $0 == " " || $0 == "\t" }
                    guard let mark = text.first, mark == "`" || mark == "~",
                        text.prefix(while: { $0 == mark }).count >= 3
                    else { return nil }
                    let info = String(text.drop { $0 == mark })
                    return CellHeader.isCell(info: info)
                        ? info.split(separator: " ").joined(separator: " ") : CellHeader.meant(by: info)
                }.map { (lines.lowerBound, $0) }
            case .html, .other: nil
            }
        }
    }

    /// The region directly behind the block at `position`: only blank lines may stand between.
    private func region(behind position: Int, cell: Cell, text: [String], name: String) throws -> ClosedRange<
        Int
    >? {
        guard position + 1 < blocks.count, isMarker(blocks[position + 1].block, Notebook.regionStart) else {
            return nil
        }
        let first = blocks[position + 1].lines.lowerBound
        guard first > cell.fenceLines.upperBound,
            text[cell.fenceLines.upperBound..<(first - 1)].allSatisfy({
                $0.allSatisfy { $0 == " " || $0 == "\t" }
            })
        else { return nil }
        for (block, lines) in blocks[(position + 2)...] {
            if isMarker(block, Notebook.regionEnd) { return first...lines.upperBound }
            if isMarker(block, Notebook.regionStart) { break }
            if case .fence(let info, _, _, _) = block, CellHeader.isCell(info: info) { break }
        }
        throw EngineError(
            .format, "the output of cell \(cell.name) begins in line \(first) and has no end", place: name,
            cure: "put `\(Notebook.regionEnd)` where it ends, or remove `\(Notebook.regionStart)`")
    }

    private func isMarker(_ block: Block, _ marker: String) -> Bool {
        guard case .html(let html) = block else { return false }
        return html.utf8.filter { $0 > 0x20 }.elementsEqual(marker.utf8.filter { $0 > 0x20 })
    }

    private static func isClosed(
        _ lines: ClosedRange<Int>, _ text: [String], _ length: Int, _ character: UInt8
    ) -> Bool {
        lines.upperBound > lines.lowerBound && lines.upperBound <= text.count
            && closes(text[lines.upperBound - 1], length: length, character: character)
    }

    /// Whether a line closes a fence: at most three spaces, then at least `length` of the fence's character
    /// and nothing else.
    private static func closes(_ line: String, length: Int, character: UInt8) -> Bool {
        let rest = line.utf8.drop { $0 == 0x20 }
        guard line.utf8.count - rest.count <= 3 else { return false }
        let tail = rest.drop { $0 == character }
        return rest.count - tail.count >= length && tail.allSatisfy { $0 == 0x20 || $0 == 0x09 }
    }

    /// In Swift "\r\n" is one character, so line ends are unified over bytes.
    private static func unifyingLineEnds(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte == 0x0D {
                bytes.append(0x0A)
            } else if byte != 0x0A || previous != 0x0D {
                bytes.append(byte)
            }
            previous = byte
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
