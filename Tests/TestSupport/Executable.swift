internal import Files

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The program and what ships with it, for tests that start it.
package enum Executable {
    /// It is built beside the tests.
    package static let path: String = {
        let built = FileSystem.join(FileSystem.folder(of: CommandLine.arguments[0]), "noisebook")
        guard let path = realpath(built, nil) else { return built }
        defer { free(path) }
        return String(cString: path)
    }()

    /// The model that ships with the program.
    package static let model: String = {
        let tests = FileSystem.folder(of: FileSystem.folder(of: #filePath))
        return FileSystem.join(FileSystem.folder(of: tests), "examples/models/monsters")
    }()
}
