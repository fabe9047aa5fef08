internal import Tensors

/// Comma-separated values (RFC 4180): a header, fields in double quotes where they hold commas, quotes or
/// line breaks. Reads CRLF and LF, a byte-order mark and a missing final line break; writes LF.
package enum CSV {
    package struct Row: Sendable, Equatable {
        /// Line on which the row begins, from 1.
        package let line: Int
        package let fields: [String]

        package init(line: Int, fields: [String]) {
            self.line = line
            self.fields = fields
        }
    }

    package struct Table: Sendable, Equatable {
        package let header: [String]
        package let rows: [Row]
    }

    package static func read(path: String) throws -> Table {
        try parse(FileSystem.readBytes(path), place: path)
    }

    /// Every row has as many fields as the header; empty lines are left out. `place` is what an error names.
    package static func parse(_ bytes: [UInt8], place: String) throws -> Table {
        // A text for each field.
        try MemoryBudget.check(
            3 * bytes.count, for: "a table of \(MemoryBudget.text(bytes.count))", cure: "a smaller file")
        var rows = try CSVReader(bytes, place: place).rows()
        guard !rows.isEmpty else {
            throw EngineError(.format, "expected a header line, found an empty file", place: place)
        }
        let header = rows.removeFirst()
        var known: Set<String> = []
        if let name = header.fields.first(where: { $0.isEmpty })
            ?? header.fields.first(where: { !known.insert($0).inserted })
        {
            throw EngineError(
                .format, name.isEmpty ? "a column has no name" : "two columns are named \(name)",
                place: "\(place), line \(header.line)")
        }
        for row in rows where row.fields.count != header.fields.count {
            throw EngineError(
                .format, "expected \(header.fields.count) fields as in the header, found \(row.fields.count)",
                place: "\(place), line \(row.line)")
        }
        return Table(header: header.fields, rows: rows)
    }

    package static func text(header: [String], rows: [[String]]) -> String {
        ([header] + rows).map { row in
            // A row of one empty field would read as an empty line.
            row == [""] ? "\"\"\n" : row.map(quoted).joined(separator: ",") + "\n"
        }.joined()
    }

    private static func quoted(_ field: String) -> String {
        let needs =
            field.utf8.contains {
                $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == 0x0A || $0 == 0x0D
            } || field.hasPrefix("\u{FEFF}")
        guard needs else { return field }
        var out = "\""
        for scalar in field.unicodeScalars {
            if scalar == "\"" { out += "\"" }
            out.unicodeScalars.append(scalar)
        }
        return out + "\""
    }
}

private struct CSVReader {
    private let bytes: [UInt8]
    private let name: String
    private var place = 0
    private var line = 1

    init(_ bytes: [UInt8], place: String) {
        self.bytes = bytes
        name = place
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { self.place = 3 }
    }

    consuming func rows() throws -> [CSV.Row] {
        var rows: [CSV.Row] = []
        while place < bytes.count {
            let start = line
            var fields: [String] = []
            var isQuoted = false
            repeat {
                isQuoted = place < bytes.count && bytes[place] == UInt8(ascii: "\"")
                fields.append(try isQuoted ? quotedField() : plainField())
            } while skip(",")
            if !endLine() {
                throw fault("expected a comma or the end of the line after a quoted field", line: start)
            }
            if fields.count > 1 || isQuoted || fields != [""] {
                rows.append(CSV.Row(line: start, fields: fields))
            }
        }
        return rows
    }

    private mutating func skip(_ mark: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: mark) else { return false }
        place += 1
        return true
    }

    /// Past a line break or at the end of the file.
    private mutating func endLine() -> Bool {
        if place >= bytes.count { return true }
        if bytes[place] == 0x0D, place + 1 < bytes.count, bytes[place + 1] == 0x0A { place += 1 }
        guard bytes[place] == 0x0A || bytes[place] == 0x0D else { return false }
        place += 1
        line += 1
        return true
    }

    private mutating func plainField() throws -> String {
        let start = place
        while place < bytes.count, bytes[place] != UInt8(ascii: ","), bytes[place] != 0x0A,
            bytes[place] != 0x0D
        {
            if bytes[place] == UInt8(ascii: "\"") {
                throw fault("a quotation mark inside a field that does not begin with one", line: line)
            }
            place += 1
        }
        return try text(bytes[start..<place], line: line)
    }

    private mutating func quotedField() throws -> String {
        let start = line
        place += 1
        var field: [UInt8] = []
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\"") {
                guard skip("\"") else { return try text(field[...], line: start) }
            } else if byte == 0x0A {
                line += 1
            }
            field.append(byte)
        }
        throw fault("a quoted field has no closing quotation mark", line: start)
    }

    private func text(_ bytes: ArraySlice<UInt8>, line: Int) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw fault("expected text in UTF-8, found other bytes", line: line)
        }
        return text
    }

    private func fault(_ message: String, line: Int) -> EngineError {
        EngineError(.format, message, place: "\(name), line \(line)")
    }
}
