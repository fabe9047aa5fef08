import Files
import Locations

/// What was typed at prompts before, per user, in `$XDG_STATE_HOME/noisebook/history` (standard:
/// `~/.local/state`). An entry is appended when it is entered, so that nothing is lost in a crash and two
/// prompts do not overwrite each other's. A line per entry; line breaks inside an entry are written as `\n`,
/// backslashes doubled.
package final class History {
    package static let limit = 5000
    private let path: String?
    /// Oldest first.
    package private(set) var entries: [String] = []

    /// A file that cannot be read or written costs the history, never the prompt. Nil keeps it in memory.
    package init(path: String?) {
        self.path = path
        guard let path, let bytes = try? FileGate.user.during({ try FileSystem.readBytes(path) }) else {
            return
        }
        let lines = bytes.split(separator: 0x0A).suffix(Self.limit)
        entries = lines.map { Self.unescaped(String(decoding: $0, as: UTF8.self)) }
    }

    package static var standardPath: String? {
        Locations.state.map { FileSystem.join($0, "history") }
    }

    /// Whether the entry was added: blank ones and repetitions of the last are not.
    @discardableResult package func append(_ entry: String) -> Bool {
        guard entry.contains(where: { !$0.isWhitespace }), entry != entries.last else { return false }
        entries.append(entry)
        guard let path else { return true }
        // It is the user's, whatever a notebook may do; and what people type can be private: only they read
        // it.
        FileGate.user.during {
            try? FileSystem.createFolder(FileSystem.folder(of: path), isPrivate: true)
            try? FileSystem.append(Self.escaped(entry) + "\n", to: path)
        }
        return true
    }

    static func escaped(_ entry: String) -> String {
        var result = ""
        for scalar in entry.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func unescaped(_ line: String) -> String {
        var result = ""
        var escaping = false
        for scalar in line.unicodeScalars {
            if escaping {
                result.unicodeScalars.append(scalar == "n" ? "\n" : scalar)
                escaping = false
            } else if scalar == "\\" {
                escaping = true
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
