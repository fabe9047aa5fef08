package import Files
internal import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The reference data that the tests compare with. `NOISEBOOK_GOLDEN` names the folder, else it is the
/// repository's Tests/Golden. Cases are found by listing, never by name, so that the tests run on any set of
/// the same structure. What is missing throws.
package enum Golden {
    package static var folder: GoldenFolder {
        if let named = getenv("NOISEBOOK_GOLDEN") { return GoldenFolder(path: String(cString: named)) }
        return repository
    }

    private static var repository: GoldenFolder {
        GoldenFolder(path: FileSystem.join(FileSystem.folder(of: FileSystem.folder(of: #filePath)), "Golden"))
    }

    /// The folder of a topic: "models", "images".
    package static func topic(_ name: String) throws -> GoldenFolder { try folder.folder(name) }

    /// The folder of a topic that other sets may lack: then the repository's own.
    package static func laterTopic(_ name: String) throws -> GoldenFolder {
        try FileSystem.isFolder(folder.path(name)) ? topic(name) : repository.folder(name)
    }
}

/// A folder of reference data.
package struct GoldenFolder: Sendable, CustomStringConvertible {
    package let path: String

    package var name: String { FileSystem.name(of: path) }
    package var description: String { name }

    package func path(_ name: String) -> String { FileSystem.join(path, name) }

    /// Names of files with this ending, sorted: `files(ending: ".json")`.
    package func files(ending: String = "") throws -> [String] {
        try FileSystem.list(path).filter { $0.hasSuffix(ending) && !FileSystem.isFolder(self.path($0)) }
    }

    /// The folders in this one, sorted.
    package func folders() throws -> [GoldenFolder] {
        try FileSystem.list(path).map { GoldenFolder(path: path($0)) }.filter { FileSystem.isFolder($0.path) }
    }

    package func folder(_ name: String) throws -> GoldenFolder {
        let inner = GoldenFolder(path: path(name))
        guard FileSystem.isFolder(inner.path) else {
            throw EngineError(
                .file, "golden data is missing", place: inner.path, cure: "set NOISEBOOK_GOLDEN")
        }
        return inner
    }

    package func json(_ name: String) throws -> JSON { try JSON.read(path: path(name)) }

    package func tensors(_ name: String) throws -> SafetensorsFile { try SafetensorsFile(path: path(name)) }

    package func bytes(_ name: String) throws -> [UInt8] { try FileSystem.readBytes(path(name)) }
}
