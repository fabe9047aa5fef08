package import Files
import Locations
import SourceText

/// Where a program may read and write, and how paths in it are meant. A notebook or script reads below its
/// project's root and what is allowed beside it, and writes below its own folder; the prompt without a
/// notebook has the user's rights.
///
/// Answers early, with a place in the program. What is refused for good is refused by the gate, at every use.
package struct FileAccess: Sendable {
    /// Who asks, for what helps.
    package enum Asker: Sendable { case command, prompt }

    /// What relative paths are relative to, as an absolute path.
    package let base: String
    package let gate: FileGate
    private let asker: Asker

    /// With the user's rights.
    package init(base: String) {
        self.base = FileSystem.realPathAsFar(base)
        gate = .user
        asker = .command
    }

    /// With the rights of a notebook or a script.
    /// - Parameters:
    ///   - readable, writable: folders.
    ///   - own: what the program keeps beside a notebook, see `FileGate`.
    package init(
        base: String, readable: [String], writable: [String] = [], own: [String] = [], asker: Asker = .command
    ) {
        self.base = FileSystem.realPathAsFar(base)
        gate = FileGate(readable: readable, writable: writable, own: own)
        self.asker = asker
    }

    /// The absolute path, or an error if it may not be read. Links are followed before the check.
    package func reading(_ path: String, slot: String? = nil) throws -> String {
        if let resolved = gate.resolved(spelled(path), forWriting: false) { return resolved }
        throw Complaint(
            .notReadable, "`\(path)` lies outside what this notebook may read",
            label: "not below its project's folder", slot: slot,
            help: help(path, "--allow-read", forWriting: false))
    }

    package func writing(_ path: String, slot: String? = nil) throws -> String {
        if let resolved = gate.resolved(spelled(path), forWriting: true) { return resolved }
        throw Complaint(
            .notWritable, "`\(path)` lies outside what this notebook may write",
            label: "not below its own folder", slot: slot,
            help: help(path, "--allow-write", forWriting: true))
    }

    private func help(_ path: String, _ option: String, forWriting: Bool) -> String {
        let path = Self.withoutDots(spelled(path))
        let way = asker == .prompt ? ":allow" : "noisebook run ... \(option)"
        if gate.holds(path, forWriting: forWriting) {
            return "a link on the way leads elsewhere; allow the folder that it leads to: \(way) FOLDER"
        }
        return "allow it: \(way) \(ShellWord.quoted(FileSystem.folder(of: path)))"
    }

    /// The absolute path, without links where it may be read.
    package func absolute(_ path: String) -> String {
        let spelled = spelled(path)
        return gate.resolved(spelled, forWriting: false) ?? Self.withoutDots(spelled)
    }

    /// The path from the root, as it is written.
    package func spelled(_ path: String) -> String { FileSystem.join(base, Locations.expanded(path)) }

    /// By its text alone: what lies out of reach is not asked for.
    private static func withoutDots(_ path: String) -> String {
        var names: [Substring] = []
        for name in path.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        return "/" + names.joined(separator: "/")
    }
}
