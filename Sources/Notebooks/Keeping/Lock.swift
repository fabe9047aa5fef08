import Caching
import Files
import Tensors

/// `NAME.lock` beside a notebook: a line of JSON per cell with what its stored output was made from, in the
/// order of the cells' names, so that a clean clone can tell which outputs still belong to the text, the data
/// and the weights.
package struct Lock {
    package struct Entry: Codable, Equatable {
        package var cell: String
        /// `ItemKeyBuilder.engineVersion` of the program that made the output; it is part of `key` too.
        package var engine: Int?
        var madeByEngine: Int { engine ?? ItemKeyBuilder.engineVersion }
        package var key: CellKeys.Parts
        /// Digest of the output's text, so that one edited by hand is noticed.
        package var output: String
        /// The files beside the notebook that the output shows, which may be removed when nothing shows them
        /// any more.
        var files: [String]?
        /// What `--seed` added to every seed that is not written out, where it did.
        package var seed: Int?
        /// The pictures that the cell decoded and what they scored one by one, in order, so that a few can be
        /// checked alone.
        package var made: CellTrace?
    }

    /// The line of a notebook that `run -o` wrote: `Notebook.textDigest` of what it wrote, so that it may
    /// write there again.
    private struct Copy: Codable {
        var textWrittenBefore: String

        enum CodingKeys: String, CodingKey { case textWrittenBefore = "text_written" }
    }

    package private(set) var entries: [String: Entry] = [:]
    /// Of the text that `run -o` wrote.
    package var copied: String?
    private let path: String
    private let command: String

    /// - Parameters:
    ///   - notebook: the notebook's path. A lock that is not there is an empty one.
    ///   - isRenewed: whether it is to be written anew: a merge conflict in it is then no error, and what
    ///     both sides say differently is forgotten.
    package init(notebook: String, isRenewed: Bool = false) throws {
        path = NotebookPlace(notebook).lock
        command = "`noisebook run \(ShellWord.quoted(notebook)) --write`"
        guard FileSystem.exists(path) else { return }
        let bytes = try FileSystem.readBytes(path, limit: 1 << 28)
        let table = LineTable(bytes)
        var lines = (0..<table.count).map { Array(bytes[table.content(of: $0 + 1)]) }
        // As an editor or a checkout on another system may leave it.
        if lines.first?.starts(with: [0xEF, 0xBB, 0xBF]) == true { lines[0].removeFirst(3) }
        let conflicts = MergeConflict.find(in: lines.map { String(decoding: $0, as: UTF8.self) })
        if let first = conflicts.first {
            guard isRenewed else {
                throw EngineError(
                    .format,
                    """
                    has an unresolved merge conflict, in lines \(first.lines.lowerBound) to \
                    \(first.lines.upperBound)
                    """, place: path,
                    cure: "\(command) makes it anew")
            }
        }
        var contested: Set<String> = []
        for (number, line) in lines.enumerated() where line.contains(where: { $0 > 0x20 }) {
            let isContested = conflicts.contains { $0.lines.contains(number + 1) }
            do {
                try read(line, &contested, isContested: isContested)
            } catch {
                if isContested { continue }
                throw EngineError(
                    .format, "is damaged, or no lock of a notebook", place: "\(path), line \(number + 1)",
                    cure: "if it is one, remove it: \(command) makes it anew")
            }
        }
    }

    private mutating func read(_ line: [UInt8], _ contested: inout Set<String>, isContested: Bool) throws {
        if line.starts(with: Array("{\"text_written\"".utf8)) {
            copied = isContested ? nil : try JSON.decode(Copy.self, from: line, place: path).textWrittenBefore
            return
        }
        let entry = try JSON.decode(Entry.self, from: line, place: path)
        if isContested, !contested.insert(entry.cell).inserted, entries[entry.cell] != entry {
            entries[entry.cell] = nil
        } else {
            entries[entry.cell] = entry
        }
    }

    /// Versions of the engine other than this one that made outputs.
    var earlierEngines: Set<Int> {
        Set(entries.values.map(\.madeByEngine)).subtracting([ItemKeyBuilder.engineVersion])
    }

    /// What `--seed` was for all outputs; nil where it was not the same for all.
    package var seed: Int? {
        let seeds = Set(entries.values.map { $0.seed ?? 0 })
        return seeds.count > 1 ? nil : seeds.first ?? 0
    }

    package subscript(cell: Cell) -> Entry? { entries[cell.name] }

    /// The entry of a cell by its name or, where an unlabelled one got another number, by its output; and the
    /// name that it had.
    package func entry(of cell: Cell, in notebook: Notebook) throws -> Entry? {
        let output = try Self.digest(notebook, cell)
        if let entry = entries[cell.name], cell.header.label != nil || entry.output == output { return entry }
        return first { $0.output == output } ?? entries[cell.name]
    }

    /// The entry of an unlabelled cell that had another number when it was written: made from the same, with
    /// this output.
    package func moved(_ key: CellKeys.Parts, output: String) -> Entry? {
        first { $0.key == key && $0.output == output }
    }

    /// Of the unlabelled cells' entries for which this is so, that of the smallest number: no two have one
    /// name.
    private func first(where isWanted: (Entry) -> Bool) -> Entry? {
        entries.values.filter { isWanted($0) && $0.cell.allSatisfy(\.isNumber) }.min {
            ($0.cell.count, $0.cell) < ($1.cell.count, $1.cell)
        }
    }

    /// Takes over the cells whose outputs were written, and forgets cells that are gone.
    package mutating func update(
        _ notebook: Notebook, _ keys: [Int: CellKeys.Parts], written: some Sequence<Int>,
        made: [Int: CellTrace], seed: Int = 0
    ) throws {
        let names = Set(notebook.cells.map(\.name))
        entries = entries.filter { names.contains($0.key) }
        for index in written {
            let cell = notebook.cells[index]
            let files = PictureFolder.mentioned(in: notebook.storedOutput(of: cell) ?? "").sorted()
            entries[cell.name] = try keys[index].map {
                Entry(
                    cell: cell.name, engine: ItemKeyBuilder.engineVersion, key: $0,
                    output: try Self.digest(notebook, cell),
                    files: files.isEmpty ? nil : files, seed: seed == 0 ? nil : seed, made: made[index])
            }
        }
    }

    package static func digest(_ notebook: Notebook, _ cell: Cell) throws -> String {
        try Digest.sha256(notebook.storedOutput(of: cell) ?? "")
    }

    package func write() throws {
        var lines = try entries.values.sorted { $0.cell.utf8.lexicographicallyPrecedes($1.cell.utf8) }.map {
            try JSON.encode($0) + "\n"
        }
        if let copied { lines.append(try JSON.encode(Copy(textWrittenBefore: copied)) + "\n") }
        let text = lines.joined()
        if FileSystem.exists(path) {
            // Other line ends are no change: a checkout may have put them there.
            let old = try FileSystem.readBytes(path, limit: 1 << 28)
            if old.filter({ $0 != 0x0D }).elementsEqual(text.utf8) { return }
        } else if lines.isEmpty {
            return
        }
        try AtomicFile.write(text, to: path)
    }
}
