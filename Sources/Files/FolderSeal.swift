internal import Tensors

/// Digests of all files of a finished folder, in it: a line for each as `sha256sum` writes them. So damage is
/// noticed before anything is made of it. The last line signs the others.
package enum FolderSeal {
    package static let file = ".sha256"

    private static let mark = "# "

    /// Written last, when all else is there. `sha256sum --check` passes over the last line, the signature.
    /// - Parameter name: what it is the folder of; one that is copied to another's place is not that.
    package static func write(_ folder: String, of name: String, _ signer: Signer) throws {
        let lines = try files(below: folder).map {
            "\(try Digest.sha256(path: FileSystem.join(folder, $0)))  \($0)\n"
        }.joined()
        try write(lines, folder, name, signer)
    }

    private static func write(_ lines: String, _ folder: String, _ name: String, _ signer: Signer) throws {
        let signature = try signer.signature(of: text(name, lines))
        try AtomicFile.write(
            Array("\(lines)\(mark)\(signature)\n".utf8), to: FileSystem.join(folder, file), durable: false)
    }

    private static func text(_ name: String, _ lines: String) throws -> String {
        "folder \(name) \(try Digest.sha256(lines))"
    }

    /// Whose folder it is, by its signature; what its files hold `damage` tells.
    package static func origin(_ folder: String, of name: String, _ signer: Signer) throws -> Signer.Origin {
        guard let (lines, signature) = parts(folder) else { return .damaged }
        return try signature.map { try signer.origin(of: $0, for: text(name, lines)) } ?? .other
    }

    /// Makes somebody else's folder this user's.
    package static func sign(_ folder: String, of name: String, _ signer: Signer) throws {
        if let (lines, _) = parts(folder) { try write(lines, folder, name, signer) }
    }

    /// nil where the seal is missing or ends early.
    private static func parts(_ folder: String) -> (lines: String, signature: Substring?)? {
        guard let text = try? FileSystem.readText(FileSystem.join(folder, file)), text.hasSuffix("\n") else {
            return nil
        }
        let last = text.dropLast().split(separator: "\n").last ?? ""
        guard last.hasPrefix(mark) else { return (text, nil) }
        return (String(text.dropLast(last.count + 1)), last.dropFirst(mark.count))
    }

    /// What is wrong with the folder; nil where all is as it was made.
    /// - Parameter digest: gives the digest of a file, which may be remembered.
    package static func damage(_ folder: String, digest: (String) throws -> String) -> String? {
        guard let (lines, _) = parts(folder) else { return "\(file) is missing or ends early" }
        var sealed: [String: String] = [:]
        for line in lines.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, words[0].utf8.count == 64, words[1].hasPrefix(" ") else {
                return "\(file) is damaged"
            }
            sealed[String(words[1].dropFirst())] = String(words[0])
        }
        guard let names = try? files(below: folder) else { return "it cannot be listed" }
        if let missing = sealed.keys.filter({ !names.contains($0) }).min() { return "\(missing) is missing" }
        for name in names {
            guard let expected = sealed[name] else { return "\(name) was not made with it" }
            guard let found = try? digest(FileSystem.join(folder, name)) else {
                return "\(name) cannot be read"
            }
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
