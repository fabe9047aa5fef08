import Caching
import Files
import Tensors

/// `NAME.lock` beside a notebook: a line of JSON per cell with what its stored output was made from, in the order of the cells' names, so that
/// a clean clone can tell which outputs still belong to the text, the data and the weights.
package struct Lock {
    package struct Entry: Codable, Equatable {
        package var cell: String
        /// `ItemKeyBuilder.engineVersion` of the program that made the output; it is part of `key` too.
        package var engine: Int?
        var madeByEngine: Int { engine ?? ItemKeyBuilder.engineVersion }
        package var key: CellKeys.Parts
        /// Digest of the output's text, so that one edited by hand is noticed.
        package var output: String
        /// The pictures that the cell decoded and what they scored one by one, in order, so that a few can be checked alone.
        package var made: CellTrace?
    }

    package private(set) var entries: [String: Entry] = [:]
    private let path: String

    /// - Parameter notebook: the notebook's path. A lock that is not there is an empty one.
    package init(notebook: String) throws {
        path = (notebook.hasSuffix(".md") ? String(notebook.dropLast(3)) : notebook) + ".lock"
        guard FileSystem.exists(path) else { return }
        for (number, line) in try FileSystem.readText(path).split(separator: "\n").enumerated() {
            let entry: Entry
            do {
                entry = try JSON.decode(Entry.self, from: Array(line.utf8), place: "\(path), line \(number + 1)")
            } catch {
                throw EngineError(
                    .format, "is damaged", place: "\(path), line \(number + 1)", cure: "remove the file: `noisebook run NAME.md --write` makes it anew")
            }
            entries[entry.cell] = entry
        }
    }

    /// Versions of the engine other than this one that made outputs.
    var earlierEngines: Set<Int> { Set(entries.values.map(\.madeByEngine)).subtracting([ItemKeyBuilder.engineVersion]) }

    package subscript(cell: Cell) -> Entry? { entries[cell.name] }

    /// The entry of a cell by its name or, where an unlabelled one got another number, by its output; and the name that it had.
    package func entry(of cell: Cell, in notebook: Notebook) throws -> Entry? {
        let output = try Self.digest(notebook, cell)
        if let entry = entries[cell.name], cell.header.label != nil || entry.output == output { return entry }
        return entries.values.filter { $0.output == output && $0.cell.allSatisfy(\.isNumber) }.min { $0.cell < $1.cell } ?? entries[cell.name]
    }

    /// The entry of an unlabelled cell that had another number when it was written: made from the same, with this output.
    package func moved(_ key: CellKeys.Parts, output: String) -> Entry? {
        entries.values.first { $0.key == key && $0.output == output && $0.cell.allSatisfy(\.isNumber) }
    }

    /// Takes over the cells whose outputs were written, and forgets cells that are gone.
    package mutating func update(_ notebook: Notebook, _ keys: CellKeys, written: some Sequence<Int>, made: [Int: CellTrace]) throws {
        let names = Set(notebook.cells.map(\.name))
        entries = entries.filter { names.contains($0.key) }
        for index in written {
            let cell = notebook.cells[index]
            entries[cell.name] = try keys.parts[index].map {
                Entry(cell: cell.name, engine: ItemKeyBuilder.engineVersion, key: $0, output: try Self.digest(notebook, cell), made: made[index])
            }
        }
    }

    package static func digest(_ notebook: Notebook, _ cell: Cell) throws -> String { try Digest.sha256(notebook.storedOutput(of: cell) ?? "") }

    package func write() throws {
        let lines = try entries.values.sorted { $0.cell.utf8.lexicographicallyPrecedes($1.cell.utf8) }.map { try JSON.encode($0) + "\n" }
        let text = lines.joined()
        if FileSystem.exists(path), try FileSystem.readText(path) == text { return }
        if lines.isEmpty, !FileSystem.exists(path) { return }
        try AtomicFile.write(text, to: path)
    }
}
