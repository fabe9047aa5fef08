internal import Files

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A folder for one test, removed with all that is in it when the test lets go of it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = FileSystem.join(base, "noisebook-test-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        try FileSystem.createFolder(path)
    }

    package func path(_ name: String) -> String { FileSystem.join(path, name) }

    deinit { Self.removeAll(path) }

    private static func removeAll(_ path: String) {
        for name in (try? FileSystem.list(path)) ?? [] {
            let inner = FileSystem.join(path, name)
            // A link is removed itself; what it leads to is not ours.
            if unlink(inner) != 0 { removeAll(inner) }
        }
        rmdir(path)
    }
}
