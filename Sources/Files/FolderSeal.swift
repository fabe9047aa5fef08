internal import Tensors

/// Digests of all files of a finished folder, in it: a line for each as `sha256sum` writes them. So damage is noticed before anything is made of it.
package enum FolderSeal {
    package static let file = ".sha256"

    /// Written last, when all else is there.
    package static func write(_ folder: String) throws {
        let lines = try files(below: folder).map { "\(try Digest.sha256(path: FileSystem.join(folder, $0)))  \($0)\n" }
        try AtomicFile.write(Array(lines.joined().utf8), to: FileSystem.join(folder, file), durable: false)
    }

    /// What is wrong with the folder; nil where all is as it was made.
    /// - Parameter digest: gives the digest of a file, which may be remembered.
    package static func damage(_ folder: String, digest: (String) throws -> String) -> String? {
        guard let text = try? FileSystem.readText(FileSystem.join(folder, file)) else { return "\(file) is missing or no text" }
        guard text.hasSuffix("\n") else { return "\(file) ends early" }
        var sealed: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, words[0].utf8.count == 64, words[1].hasPrefix(" ") else { return "\(file) is damaged" }
            sealed[String(words[1].dropFirst())] = String(words[0])
        }
        guard let names = try? files(below: folder) else { return "it cannot be listed" }
        if let missing = sealed.keys.filter({ !names.contains($0) }).min() { return "\(missing) is missing" }
        for name in names {
            guard let expected = sealed[name] else { return "\(name) was not made with it" }
            guard let found = try? digest(FileSystem.join(folder, name)) else { return "\(name) cannot be read" }
            guard found == expected else { return "\(name) holds other bytes than were written" }
        }
        return names.isEmpty ? "it is empty" : nil
    }

    private static func files(below folder: String, _ prefix: String = "") throws -> [String] {
        try FileSystem.list(folder).flatMap { name -> [String] in
            let path = FileSystem.join(folder, name)
            if FileSystem.isFolder(path) { return try files(below: path, prefix + name + "/") }
            return prefix + name == file ? [] : [prefix + name]
        }
    }
}
