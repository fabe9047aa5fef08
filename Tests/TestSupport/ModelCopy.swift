package import Files
internal import Tensors

/// A copy of a model folder that a test changes: of the golden pipeline if no other is named.
package struct ModelCopy {
    private let folder: TemporaryFolder
    package var path: String { folder.path }

    package init(of source: String? = nil) throws {
        folder = try TemporaryFolder()
        try Self.copy(source ?? Golden.topic("models").path("pipeline"), to: folder.path)
    }

    package func at(_ name: String) -> String { folder.path(name) }

    package func write(_ name: String, _ json: JSON) throws {
        try AtomicFile.write(json.prettyText, to: at(name))
    }

    /// Puts members into a configuration in place of those that are there; nil takes one out.
    package func edit(_ name: String, _ changes: [String: JSON?]) throws {
        guard var members = try JSON.read(path: at(name)).object else {
            throw EngineError(.format, "no object", place: at(name))
        }
        for (key, value) in changes { members[key] = value }
        try write(name, .object(members))
    }

    /// All that is in a folder, and in the folders in it.
    package static func copy(_ from: String, to: String) throws {
        try FileSystem.createFolder(to)
        for name in try FileSystem.list(from) {
            let source = FileSystem.join(from, name), target = FileSystem.join(to, name)
            if FileSystem.isFolder(source) {
                try copy(source, to: target)
            } else {
                try AtomicFile.write(FileSystem.readBytes(source), to: target)
            }
        }
    }
}
