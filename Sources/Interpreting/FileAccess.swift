internal import Files
import SourceText

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Where a program may read and write. A notebook reads below its project's root and what is allowed beside it, and writes below its
/// own folder; the prompt is not restricted.
package struct FileAccess: Sendable {
    /// What relative paths are relative to, as an absolute path.
    package var base: String
    /// nil where everything may be read or written.
    package var readable: [String]?
    package var writable: [String]?

    package init(base: String, readable: [String]? = nil, writable: [String]? = nil) {
        self.base = FileAccess.real(base)
        self.readable = readable?.map(FileAccess.real)
        self.writable = writable?.map(FileAccess.real)
    }

    /// The absolute path, or an error if it may not be read. Links are followed before the check.
    package func reading(_ path: String, slot: String? = nil) throws -> String {
        let full = absolute(path)
        guard allows(full, in: readable) else {
            throw Complaint(
                .notReadable, "`\(path)` lies outside what this notebook may read", label: "not below its project's folder", slot: slot,
                help: "allow it: noisebook run ... --allow-read \(ShellWord.quoted(FileSystem.folder(of: full)))")
        }
        return full
    }

    package func writing(_ path: String, slot: String? = nil) throws -> String {
        let full = absolute(path)
        guard allows(full, in: writable) else {
            throw Complaint(
                .notWritable, "`\(path)` lies outside what this notebook may write", label: "not below its own folder", slot: slot,
                help: "allow it: noisebook run ... --allow-write \(ShellWord.quoted(FileSystem.folder(of: full)))")
        }
        return full
    }

    package func absolute(_ path: String) -> String {
        if path == "~" || path.hasPrefix("~/"), let home = getenv("HOME") {
            return FileAccess.real(String(cString: home) + path.dropFirst())
        }
        return FileAccess.real(FileSystem.join(base, path))
    }

    private func allows(_ path: String, in roots: [String]?) -> Bool {
        guard let roots else { return true }
        return roots.contains { path == $0 || path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
    }

    /// The path with links, `.` and `..` resolved; of what does not exist yet, the part that does.
    private static func real(_ path: String) -> String {
        if path.utf8.contains(0) { return path }
        if let resolved = realpath(path, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        let folder = FileSystem.folder(of: path)
        let name = FileSystem.name(of: path)
        if folder == path || name == "." || name == ".." { return path }
        return FileSystem.join(real(folder), name)
    }
}
