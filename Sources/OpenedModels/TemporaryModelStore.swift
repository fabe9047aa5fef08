import Files
import Interpreting
import Locations

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Gone when the session is.
package final class TemporaryModelStore {
    package let path: String
    private static let key = "model store"

    private init() throws {
        let path = FileSystem.join(
            FileSystem.realPathAsFar(Locations.temporary),
            "noisebook-\(getpid())-\(UInt64.random(in: 0 ... .max))")
        // The user's temporary folder is out of a notebook's reach, and this one in it is the program's own.
        try FileGate.user.during { try FileSystem.createFolder(path, isPrivate: true) }
        FileGate.current.permit(path, isWritable: true)
        self.path = path
    }

    deinit { FileGate.user.during { try? AtomicFolder.remove(path) } }

    /// The session's own.
    package static func of(_ session: Session) throws -> TemporaryModelStore {
        if let temporary = session.store[key] as? TemporaryModelStore { return temporary }
        let temporary = try TemporaryModelStore()
        session.store[key] = temporary
        return temporary
    }

    /// Takes the session's away, so that what is made next is made anew. What was made keeps its folder as
    /// long as the caller keeps this.
    package static func taken(from session: Session) -> AnyObject? { session.store.removeValue(forKey: key) }

    package static func give(_ modelStore: AnyObject?, to session: Session) {
        session.store[key] = modelStore
    }
}
