import Files
import Tensors

/// Rows of text files before they become columns: metadata.jsonl (one JSON object a line), the form of the
/// report (a JSON list of caption and picture), CSV with a header.
struct DatasetRecords {
    struct Record {
        /// Line of the file, or number of the list's element, from 1; for messages.
        let place: Int
        var fields: [String: JSON]
    }

    private var records: [Record] = []
    /// Column names in the order of the file where it has one, else text, image and the others sorted.
    private var names: [String] = []
    /// The file, for messages; picture paths are relative to its folder.
    private var path: String
    /// "line" or "element".
    private var unit: String

    /// Other names of the two columns that every data set has, the usual name first.
    private static let aliases = [["text", "caption"], ["file_name", "image", "picture"]]

    /// A folder with metadata.jsonl or metadata.csv, or with one list per split: train.json, test.json.
    init(folder: String, split: String?) throws {
        for name in ["metadata.jsonl", "metadata.csv"]
            + ["train", "validation", "test"].map({ $0 + ".json" })
        {
            try FileSystem.checkReach(FileSystem.join(folder, name))
        }
        for name in ["metadata.jsonl", "metadata.csv"] where FileSystem.exists(FileSystem.join(folder, name))
        {
            try self.init(file: FileSystem.join(folder, name))
            return
        }
        let lists = ["train", "validation", "test"].filter {
            FileSystem.exists(FileSystem.join(folder, $0 + ".json"))
        }
        guard !lists.isEmpty else {
            throw EngineError(
                .data, "the folder holds no data set", place: folder,
                cure: "expected metadata.jsonl, metadata.csv, or train.json and test.json")
        }
        if let split, !lists.contains(split) { throw Self.unknownSplit(split, known: lists, place: folder) }
        let parts = try (split.map { [$0] } ?? lists).map { name in
            try (name, DatasetRecords(file: FileSystem.join(folder, name + ".json")))
        }
        self = parts[0].1
        records = parts.flatMap { name, part in
            part.records.map { record in
                var record = record
                record.fields["split"] = .string(name)
                return record
            }
        }
        names = Self.sortedNames(records)
    }

    init(file: String) throws {
        path = file
        if file.hasSuffix(".jsonl") {
            unit = "line"
            try readLines()
        } else if file.hasSuffix(".json") {
            unit = "element"
            try readList()
        } else if file.hasSuffix(".csv") {
            unit = "line"
            try readTable()
        } else {
            throw EngineError(
                .data, "expected a folder or a file ending in .jsonl, .json or .csv", place: file)
        }
    }

    // MARK: Reading

    private mutating func readLines() throws {
        let bytes = try FileSystem.readBytes(path)
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            let place = "\(path), line \(number + 1)"
            let json = try JSON.parse(Array(line), place: place)
            guard let object = json.object else {
                throw EngineError(.format, "expected an object, found \(json.kind)", place: place)
            }
            records.append(Record(place: number + 1, fields: Self.canonical(object)))
        }
        names = Self.sortedNames(records)
    }

    private mutating func readList() throws {
        let json = try JSON.read(path: path)
        guard let list = json.array else {
            throw EngineError(
                .format, "expected a list of caption and picture pairs, found \(json.kind)", place: path)
        }
        for (number, element) in list.enumerated() {
            if let object = element.object {
                records.append(Record(place: number + 1, fields: Self.canonical(object)))
            } else if let pair = element.strings, pair.count == 2 {
                records.append(
                    Record(
                        place: number + 1, fields: ["text": .string(pair[0]), "file_name": .string(pair[1])]))
            } else {
                throw EngineError(
                    .format, "expected [caption, picture] or an object with both",
                    place: "\(path), element \(number + 1)")
            }
        }
        names = Self.sortedNames(records)
    }

    private mutating func readTable() throws {
        let table = try CSV.read(path: path)
        let renamed = Self.canonicalNames(Set(table.header))
        names = table.header.map { renamed[$0] ?? $0 }
        let names = names
        records = table.rows.map { row in
            Record(
                place: row.line,
                fields: Dictionary(
                    zip(names, row.fields.map { JSON.string($0) }), uniquingKeysWith: { first, _ in first }))
        }
    }

    /// `caption` to `text`, `image` or `picture` to `file_name`, where the usual name is not there: the usual
    /// names by the ones found.
    private static func canonicalNames(_ names: Set<String>) -> [String: String] {
        var renamed: [String: String] = [:]
        for group in aliases where !names.contains(group[0]) {
            if let alias = group.first(where: names.contains) { renamed[alias] = group[0] }
        }
        return renamed
    }

    private static func canonical(_ fields: [String: JSON]) -> [String: JSON] {
        var fields = fields
        // In any order: each alias has a name of its own.
        for (alias, name) in canonicalNames(Set(fields.keys)) {
            fields[name] = fields.removeValue(forKey: alias)
        }
        return fields
    }

    private static func sortedNames(_ records: [Record]) -> [String] {
        Set(records.flatMap(\.fields.keys)).sorted()
    }

    // MARK: Columns

    func dataset(name: String, split: String?, size: Int?) throws -> Dataset {
        var chosen = records
        if let split {
            let known = Set(records.compactMap { $0.fields["split"]?.string }).sorted()
            guard names.contains("split") else {
                throw EngineError(.data, "the data has no column split to choose \(split) by", place: path)
            }
            guard known.contains(split) else { throw Self.unknownSplit(split, known: known, place: path) }
            chosen = records.filter { $0.fields["split"]?.string == split }
        }
        let (text, picture) = (names.contains("text"), names.contains("file_name"))
        guard text || picture else {
            throw EngineError(
                .format,
                """
                no column text (or caption) and no column file_name (or image), but \
                \(names.joined(separator: ", "))
                """, place: path)
        }
        var columns: [DatasetColumn] = []
        if text {
            columns.append(DatasetColumn(name: "text", values: .text(try strings("text", of: chosen))))
        }
        if picture {
            columns.append(
                DatasetColumn(
                    name: "image",
                    values: .pictures(try pictures(strings("file_name", of: chosen), of: chosen, size: size)))
            )
        }
        for name in names where name != "text" && name != "file_name" {
            // `item` is the row's number in every table, `image` the picture itself.
            let shown = name == "item" || name == "image" ? name + "_in_file" : name
            columns.append(DatasetColumn(name: shown, values: Self.values(chosen.map { $0.fields[name] })))
        }
        return try Dataset(name: name, columns: columns)
    }

    /// Paths of all pictures that are named.
    var pictures: [String] {
        records.compactMap { $0.fields["file_name"]?.string }.map {
            FileSystem.join(FileSystem.folder(of: path), $0)
        }
    }

    private func at(_ record: Record) -> String { "\(path), \(unit) \(record.place)" }

    private func strings(_ column: String, of records: [Record]) throws -> [String] {
        try records.map { record in
            guard let value = record.fields[column], !value.isNull else {
                throw EngineError(.format, "\(column) is missing", place: at(record))
            }
            guard let text = value.string else {
                throw EngineError(
                    .format, "\(column): expected a text, found \(value.kind)", place: at(record))
            }
            return text
        }
    }

    /// Files that are not there are found now, before hours of work; what is in them when they are shown.
    private func pictures(_ names: [String], of records: [Record], size: Int?) throws -> [DatasetPicture] {
        let folder = FileSystem.folder(of: path)
        let paths = names.map { FileSystem.join(folder, $0) }
        let areFiles = FileSystem.areFiles(names, in: folder)
        let missing = names.indices.filter { names[$0].isEmpty || !areFiles[$0] }
        if let first = missing.first {
            try FileSystem.checkReach(paths[first])
            let others = missing.count > 1 ? " and \(missing.count - 1) more" : ""
            let what =
                names[first].isEmpty
                ? "the picture's file name is empty" : "the picture \(names[first]) is missing"
            throw EngineError(
                .file, what + others, place: at(records[first]), cure: "paths are relative to \(folder)")
        }
        return paths.map { path in
            DatasetPicture(name: path) {
                let bitmap = try PictureFile.read(path: path)
                return try size.map { try bitmap.coveringSquare($0, place: path) } ?? bitmap
            }
        }
    }

    /// Numbers if every value that is there is one (in CSV: reads as one), else texts.
    private static func values(_ values: [JSON?]) -> DatasetColumn.Values {
        let numbers = values.map { value -> Double? in
            switch value {
            case .number(let number): number
            case .string(let text): text.isEmpty ? Double.nan : number(text)
            case .null, nil: Double.nan
            default: nil
            }
        }
        if numbers.allSatisfy({ $0 != nil }), numbers.contains(where: { $0?.isNaN == false }) {
            return .numbers(numbers.map { $0 ?? .nan })
        }
        return .text(
            values.map { value in
                switch value {
                case .string(let text): text
                case .null, nil: ""
                case .bool(let flag): flag ? "yes" : "no"
                case .some(let other): other.text
                }
            })
    }

    /// Decimal notation only: "nan", "inf" and "0x10" stay texts.
    private static func number(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }),
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    private static func unknownSplit(_ split: String, known: [String], place: String) -> EngineError {
        EngineError(
            .data, "no split \(split)", place: place, cure: "there is \(known.joined(separator: ", "))")
    }
}

extension Bitmap {
    /// `side` x `side` as transformers prepares pictures: the shorter side scaled to it (Pillow's bicubic),
    /// what the longer one comes to cut to whole pixels as in torchvision, and of that the middle, the
    /// earlier pixel where it lies between two.
    func coveringSquare(_ side: Int, place: String) throws -> Bitmap {
        let short = min(width, height), long = side * max(width, height) / short
        guard long * side <= PictureForm.mostPixels else {
            throw EngineError(
                .shape, "a picture of \(width) x \(height) is too elongated to be scaled to \(side)",
                place: place)
        }
        let scaled = width <= height ? (width: side, height: long) : (width: long, height: side)
        return resized(width: scaled.width, height: scaled.height, filter: .bicubic)
            .cropped(x: (scaled.width - side) / 2, y: (scaled.height - side) / 2, width: side, height: side)
    }
}
