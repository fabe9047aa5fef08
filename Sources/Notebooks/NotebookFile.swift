import Caching
import Files
import Interpreting
import Tensors

/// A notebook on disk, with the folder of its outputs.
package struct NotebookFile {
    package let path: String
    package let notebook: Notebook
    package let folder: PictureFolder
    /// Where outputs go: the file itself unless another was named.
    package let target: String

    /// Reads the notebook at `path`. `output` is another file that is to get the text with its new outputs.
    package init(_ path: String, output: String? = nil) throws {
        self.path = path
        target = output ?? path
        let bytes = try FileSystem.readBytes(path, limit: 1 << 28)
        guard !bytes.contains(0) else { throw EngineError(.format, "is no text: it holds bytes that are zero", place: path) }
        notebook = try Notebook(name: path, bytes: bytes)
        folder = PictureFolder(notebook: target)
    }

    /// Writes pictures, then the text, then removes pictures that nothing shows any more: at no time does the text on disk show a
    /// picture that is not there. Refused where somebody changed the file meanwhile.
    package func write(_ outputs: [Int: String]) throws {
        let text = try notebook.rewriting(outputs)
        _ = try content(unchangedOr: text)
        try folder.write()
        // Once more: many pictures take a while.
        if try content(unchangedOr: text) != text { try AtomicFile.write(text, to: target) }
        try folder.removeUnmentioned(in: text)
    }

    /// What the target holds now: what was read, or the very same as is to be written, from another process that ran it too.
    private func content(unchangedOr text: [UInt8]) throws -> [UInt8] {
        guard target == path else { return [] }
        let found = try FileSystem.readBytes(path, limit: 1 << 28)
        guard found == notebook.bytes || found == text else {
            throw EngineError(.file, "was changed while it ran; its outputs are not written", place: path, cure: "run it again")
        }
        return found
    }

    /// Notes in `NAME.lock` what the outputs of these cells, which stand in the file now, were made from, and the pictures that they decoded.
    package func writeLock(_ session: Session, written: some Sequence<Int>, made: [Int: CellTrace]) throws {
        let now = try Notebook(name: target, bytes: try FileSystem.readBytes(target, limit: 1 << 28))
        let digests = session.cache?.files ?? FileDigests(path: FileSystem.join(FileSystem.join(session.access.base, ".noisebook"), "digests"))
        var lock = try Lock(notebook: target)
        try lock.update(
            now, CellKeys(NotebookProgram(now), session: session, files: digests, readings: session.readings.keepsDigests ? session.readings : nil),
            written: written, made: made)
        try lock.write()
    }
}
