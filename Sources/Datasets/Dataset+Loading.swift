import Files
import Tensors

extension Dataset {
    /// What ships with the program: names without a folder of their own.
    package static let builtIn = ["monsters"]

    /// The files and folders that a data set is read from.
    package static func files(_ nameOrPath: String, base: String = ".") -> [String] {
        if nameOrPath == "monsters" { return Monsters.files(root: "/") }
        let path = FileSystem.join(base, nameOrPath)
        // A folder stands for all in it; the pictures that a file lists can lie anywhere.
        guard FileSystem.isFile(path), let records = try? DatasetRecords(file: path) else { return [path] }
        return [path] + Set(records.pictures).sorted()
    }

    /// `nameOrPath` is `monsters`, a folder or a file; paths are relative to `base`.
    /// - Parameters:
    ///   - split: the rows of one split only; nil gives all.
    ///   - size: pictures of `size` x `size`. Sprites are zoomed by whole numbers (32 if not given); pictures
    ///     of files are scaled to the shorter side (bicubic, as Pillow) and cropped to the centre, as
    ///     training scripts of the reference do; nil leaves files as they are.
    ///   - root: for `monsters`, the folder that the game packages were extracted to; else the machine's
    ///     root.
    ///   - all: for `monsters`, with the 146 undead copies.
    /// - Throws: what is missing or malformed, with the file and the line or element. Pictures are looked for
    ///   and not read.
    package static func load(
        _ nameOrPath: String, split: String? = nil, size: Int? = nil, root: String? = nil, all: Bool = false,
        base: String = "."
    ) throws -> Dataset {
        if let size, !(1...4096).contains(size) {
            throw EngineError(.shape, "the picture size is \(size); expected 1 to 4096", place: nameOrPath)
        }
        if nameOrPath == "monsters" {
            let root = root.map { FileSystem.join(base, $0) } ?? "/"
            return try Monsters.dataset(root: root, split: split, size: size ?? Monsters.cell, all: all)
        }
        if root != nil || all {
            throw EngineError(.data, "root= and all= belong to `dataset monsters`", place: nameOrPath)
        }
        let path = FileSystem.join(base, nameOrPath)
        guard FileSystem.exists(path) else {
            throw EngineError(
                .data, "no such data set, folder or file", place: nameOrPath,
                cure: "built-in data sets: \(builtIn.joined(separator: ", "))")
        }
        let records =
            try FileSystem.isFolder(path)
            ? DatasetRecords(folder: path, split: split) : DatasetRecords(file: path)
        return try records.dataset(name: nameOrPath, split: split, size: size)
    }
}
