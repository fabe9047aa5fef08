import Files
import Rendering
import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The folder `NAME.out` beside a notebook: its pictures and long tables, each named by what is in it, so
/// that equal results give equal names and a diff of the notebook shows which pictures changed. Files are
/// written when the notebook is.
package final class PictureFolder: OutputFolder {
    /// Of the notebook's own folder; empty for the working folder.
    private let parent: String
    /// `ablation.out`.
    package let name: String
    private var files: [String: [UInt8]] = [:]

    package init(notebook path: String) {
        let outputs = NotebookPlace(path).outputs
        parent = FileSystem.folder(of: outputs)
        name = FileSystem.name(of: outputs)
    }

    private var path: String { FileSystem.join(parent, name) }

    /// Digits of the digest in a file's name: 48 bits, so that two of a million files agree with a chance of
    /// one in 500.
    private static let nameLength = 12

    package func keep(_ bytes: [UInt8], kind: String) throws -> String {
        let digest = try Digest.sha256(bytes)
        var file = "\(digest.prefix(Self.nameLength)).\(kind)"
        // Where two files would share a name, the second takes the whole digest.
        if let other = files[file], other != bytes { file = "\(digest).\(kind)" }
        files[file] = bytes
        return "\(name)/\(file)"
    }

    /// A file as it was kept by this run.
    func computed(_ file: String) throws -> [UInt8] {
        guard let bytes = files[file] else {
            throw EngineError(.file, "was not computed", place: "\(name)/\(file)")
        }
        return bytes
    }

    /// A file as it lies on disk.
    func stored(_ file: String) throws -> [UInt8] {
        try FileSystem.readBytes(FileSystem.join(path, file), limit: 1 << 28)
    }

    /// The first file of this folder that an output shows and that is neither on disk nor about to be
    /// written.
    func missing(in output: String) -> String? {
        // Each file is asked for once: a lazy collection would ask again, and the file may have come
        // meanwhile.
        for line in output.split(separator: "\n") {
            for case .file(let file) in OutputToken.tokens(of: String(line)).map(\.kind)
            where output.contains("\(name)/\(file)") {
                if files[file] == nil, !FileSystem.isFile(FileSystem.join(path, file)) {
                    return "\(name)/\(file)"
                }
            }
        }
        return nil
    }

    /// What the files take on a disk that gives room in blocks.
    var byteCount: Int { files.values.reduce(0) { $0 + Self.blocks($1.count) } }

    static func blocks(_ count: Int) -> Int { (count + 4095) / 4096 * 4096 }

    /// Writes the files that are not there yet. What is there under such a name has that content, unless
    /// somebody changed it.
    package func write() throws { try write(into: path) }

    private func write(into folder: String) throws {
        guard !files.isEmpty else { return }
        try FileSystem.createFolder(folder)
        for (file, bytes) in files.sorted(by: { $0.key < $1.key }) {
            let target = FileSystem.join(folder, file)
            if let old = try? FileSystem.readBytes(target), old == bytes { continue }
            try AtomicFile.write(bytes, to: target)
        }
    }

    /// Where a verification leaves its files, so that those which the notebook shows stay as they are until
    /// they are accepted.
    private var correctionPath: String { path + ".corrected" }

    func writeCorrection() throws { try write(into: correctionPath) }

    /// Takes the files of a correction that its text shows among those to write.
    func takeCorrection(shownIn text: String) throws {
        for file in Self.mentioned(in: text).sorted()
        where FileSystem.isFile(FileSystem.join(correctionPath, file)) {
            files[file] = try FileSystem.readBytes(FileSystem.join(correctionPath, file), limit: 1 << 28)
        }
    }

    func removeCorrection(shownIn text: String) throws {
        try remove(Self.mentioned(in: text), in: correctionPath)
    }

    /// Removes files of this folder, and the folder when nothing is left in it.
    func remove(_ files: Set<String>) throws { try remove(files, in: path) }

    private func remove(_ files: Set<String>, in folder: String) throws {
        guard FileSystem.isFolder(folder) else { return }
        for file in files.sorted() { try FileSystem.removeFile(FileSystem.join(folder, file)) }
        try FileSystem.removeEmptyFolder(folder)
    }

    /// The files of such a folder that a text shows, by their names alone: that of the folder can be written
    /// in more than one way.
    static func mentioned(in text: String) -> Set<String> {
        var files: Set<String> = []
        for part in text.utf8.split(separator: UInt8(ascii: "/")).dropFirst() {
            let file = String(
                decoding: part.prefix {
                    (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2E
                }, as: UTF8.self)
            if isOurs(file) { files.insert(file) }
        }
        return files
    }

    /// `3fa94c0d21be.png`: people's own files in the folder are left alone.
    static func isOurs(_ file: String) -> Bool {
        guard let point = file.lastIndex(of: ".") else { return false }
        let stem = file[..<point]
        return [nameLength, 64].contains(stem.count) && stem.allSatisfy { $0.isHexDigit && !$0.isUppercase }
            && ["png", "csv", "svg"].contains(String(file[file.index(after: point)...]))
    }
}
