import Caching
import Files
import Interpreting
import Tensors

/// A notebook on disk, with the folder of its outputs.
package struct NotebookFile {
    /// As it was named.
    package let path: String
    package private(set) var notebook: Notebook
    package let folder: PictureFolder
    /// Where outputs go: the file itself, behind links, unless another was named.
    package let target: String
    private let isCopy: Bool
    /// Behind links.
    private let own: String

    /// Reads the notebook at `path`. `output` is another file that is to get the text with its new outputs.
    package init(_ path: String, output: String? = nil) throws {
        self.path = path
        let own = NotebookPlace(path).file
        target = output.map { NotebookPlace($0).file } ?? own
        isCopy = target != own
        self.own = own
        let bytes = try FileSystem.readBytes(own, limit: 1 << 28)
        guard !bytes.contains(0) else {
            throw EngineError(.format, "is no text: it holds bytes that are zero", place: path)
        }
        notebook = try Notebook(name: path, bytes: bytes)
        notebook.fileName = FileSystem.name(of: target)
        folder = PictureFolder(notebook: target)
    }

    /// The same with other values behind `param NAME =`, for a copy.
    package func setting(_ given: [(name: String, value: String)], session: Session) throws -> NotebookFile {
        var file = self
        file.notebook = try notebook.setting(given, session: session)
        return file
    }

    /// Refuses a copy over a file that another copy did not make, or that was changed since: somebody's own
    /// work. What differs in its outputs alone is none.
    package func checkTarget() throws {
        guard isCopy, FileSystem.exists(target) else { return }
        let found = try FileSystem.readBytes(target, limit: 1 << 28)
        if found.isEmpty { return }
        if let text = try? Notebook(name: target, bytes: found).textDigest {
            if try text == notebook.textDigest { return }
            if let copied = try? Lock(notebook: target, isRenewed: true).copied, copied == text { return }
        }
        throw EngineError(
            .file, "is there already, and `run -o` did not write it, or it was changed since", place: target,
            cure: "name another file; --force overwrites this one")
    }

    /// Writes pictures, then the text, then removes pictures that nothing shows any more and that the lock
    /// says this notebook made: at no time does the text on disk show a picture that is not there. Outputs
    /// that stand behind no cell go. Refused where somebody changed the file meanwhile.
    package func write(_ outputs: [Int: String], keepsOrphans: Bool = false) throws {
        let text = try notebook.rewriting(outputs, keepsOrphans: keepsOrphans)
        _ = try content(unchangedOr: text)
        let made = try filesMade()
        try folder.write()
        // Once more: many pictures take a while.
        if try content(unchangedOr: text) != text { try AtomicFile.write(text, to: target) }
        try folder.remove(
            made.subtracting(PictureFolder.mentioned(in: String(decoding: text, as: UTF8.self))))
    }

    /// The files that an earlier run of the notebook left in its folder, by the lock; where that is from
    /// before it named files, those that stored outputs show which are to the letter as the lock has them.
    /// Whatever else lies there is somebody's.
    private func filesMade() throws -> Set<String> {
        guard FileSystem.exists(target) else { return [] }
        let old =
            try isCopy
            ? Notebook(name: target, bytes: FileSystem.readBytes(target, limit: 1 << 28)) : notebook
        let lock = try Lock(notebook: target, isRenewed: true)
        let known = Set(lock.entries.values.map(\.output))
        let outputs = (old.cells.compactMap(\.outputLines) + old.orphans).map { old.text(inside: $0) }
        let shown = try outputs.filter { try known.contains(Digest.sha256($0)) }.map(PictureFolder.mentioned)
        return (lock.entries.values.compactMap { $0.files.map(Set.init) } + shown).reduce(into: []) {
            $0.formUnion($1.filter(PictureFolder.isOurs))
        }
    }

    /// What pictures, text and lock of these outputs take on a disk; of the lock a little more than is usual.
    package func byteCount(of outputs: [Int: String]) throws -> Int {
        let text = PictureFolder.blocks(try notebook.rewriting(outputs, keepsOrphans: false).count)
        return folder.byteCount + 2 * text + PictureFolder.blocks(notebook.cells.count * 4096)
    }

    /// What the target holds now: what was read, or the very same as is to be written, from another process
    /// that ran it too.
    private func content(unchangedOr text: [UInt8]) throws -> [UInt8] {
        guard !isCopy else { return [] }
        let found = try FileSystem.readBytes(own, limit: 1 << 28)
        guard found == notebook.bytes || found == text else {
            throw EngineError(
                .file, "was changed while it ran; its outputs are not written", place: path,
                cure: "run it again")
        }
        return found
    }

    /// Notes in `NAME.lock` what the outputs of these cells, which stand in the file now, were made from, and
    /// the pictures that they decoded.
    package func writeLock(_ session: Session, written: some Sequence<Int>, made: [Int: CellTrace]) throws {
        let now = try Notebook(name: target, bytes: try FileSystem.readBytes(target, limit: 1 << 28))
        var lock = try Lock(notebook: target, isRenewed: true)
        if isCopy { lock.copied = try now.textDigest }
        try lock.update(now, keys(session), written: written, made: made, seed: session.settings.seed)
        try lock.write()
    }

    /// What the cells' outputs depend on: files as the session read them.
    func keys(_ session: Session) throws -> [Int: CellKeys.Parts] {
        let digests =
            session.cache?.files
            ?? FileDigests(
                path: FileSystem.join(FileSystem.join(session.access.base, ".noisebook"), "digests"))
        let readings = session.readings.keepsDigests ? session.readings : nil
        return try CellKeys(notebook.program(session), session: session, files: digests, readings: readings) {
            readings?.openings(of: $0.index) ?? []
        }.parts
    }
}
