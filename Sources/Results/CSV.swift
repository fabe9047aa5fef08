import Tensors

/// Comma-separated values as in RFC 4180: quoted where a cell holds a comma, a quote or a line end; lines end with a line feed.
package enum CSV {
    /// The rows of cells; quoted cells may hold line ends. A byte order mark and a last line end are left out.
    package static func parse(_ text: String, place: String) throws -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var cell: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        var line = 1
        var bytes = Array(text.utf8)[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        func end(_ cell: inout [UInt8]) -> String {
            defer { cell = [] }
            return String(decoding: cell, as: UTF8.self)
        }
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            if isQuoted {
                guard byte == UInt8(ascii: "\"") else {
                    cell.append(byte)
                    continue
                }
                if index < bytes.endIndex, bytes[index] == UInt8(ascii: "\"") {
                    cell.append(byte)
                    index += 1
                } else {
                    isQuoted = false
                    wasQuoted = true
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                guard cell.isEmpty, !wasQuoted else {
                    throw EngineError(.format, "a quote inside a cell that is not quoted, line \(line)", place: place, cure: "quote the cell and double the quotes in it")
                }
                isQuoted = true
            case UInt8(ascii: ","):
                row.append(end(&cell))
                wasQuoted = false
            case UInt8(ascii: "\r") where index < bytes.endIndex && bytes[index] == UInt8(ascii: "\n"): break
            case UInt8(ascii: "\n"):
                row.append(end(&cell))
                wasQuoted = false
                rows.append(row)
                row = []
            default: cell.append(byte)
            }
        }
        if isQuoted { throw EngineError(.format, "a quoted cell has no end", place: place) }
        if !cell.isEmpty || wasQuoted || !row.isEmpty {
            row.append(end(&cell))
            rows.append(row)
        }
        return rows
    }

    package static func line(_ cells: [String]) -> String {
        cells.map { cell in
            let needsQuotes = cell.contains { $0 == "," || $0 == "\"" || $0.isNewline }
            return needsQuotes ? "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" : cell
        }.joined(separator: ",") + "\n"
    }
}

extension Table {
    /// The shown columns as CSV, numbers with all their digits. `file` names what stands for a picture, latent or tensor.
    package func csv(file: (Column, _ row: Int) -> String = { column, row in column.values[row].summary }) -> String {
        let columns = shownColumns
        var text = CSV.line(columns.map(\.name))
        for row in 0..<rowCount {
            text += CSV.line(
                columns.map { column in
                    switch column.values[row] {
                    case .none: ""
                    case .picture, .latent, .tensor, .embedding: file(column, row)
                    case let value: value.summary
                    }
                })
        }
        return text
    }

    /// A table from CSV with a heading line: a column is of numbers if all its cells are, empty cells are missing. A column `item` numbers the rows.
    package init(csv text: String, place: String) throws {
        let lines = try CSV.parse(text, place: place).filter { $0 != [""] }
        guard let headings = lines.first else { throw EngineError(.format, "an empty file", place: place, cure: "the first line names the columns") }
        if let twice = headings.first(where: { name in headings.count { $0 == name } > 1 }) {
            throw EngineError(.format, "two columns are called \(twice)", place: place)
        }
        for (index, line) in lines.enumerated() where line.count != headings.count {
            throw EngineError(.format, "line \(index + 1) has \(line.count) cells, and \(headings.count) columns are named", place: place)
        }
        let rows = lines.dropFirst()
        var columns: [Column] = []
        var items: [Int]?
        for (index, name) in headings.enumerated() {
            let cells = rows.map { $0[index] }
            let numbers = cells.map { Double($0) }
            let isNumeric = zip(cells, numbers).allSatisfy { $0.0.isEmpty || ($0.1?.isFinite ?? false) } && cells.contains { !$0.isEmpty }
            if name == Table.itemName, isNumeric {
                let whole = numbers.map { $0.flatMap { Int(exactly: $0) } }
                if whole.allSatisfy({ $0 != nil }) {
                    items = whole.compactMap { $0 }
                    continue
                }
            }
            columns.append(
                Column(name, zip(cells, numbers).map { cell, number in
                    cell.isEmpty ? .none : isNumeric ? .number(number ?? 0) : .text(cell)
                }))
        }
        self.init(columns: columns, rowCount: rows.count, items: items, showsItem: items != nil)
    }
}
