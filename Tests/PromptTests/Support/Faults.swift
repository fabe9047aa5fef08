import Files
import TestSupport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The library of `Tests/CFaults`, preloaded into the program: it counts operations on files below a folder,
/// lets one of them fail, or sends the program a signal in front of it. So every moment that matters to a
/// file comes up, and none depends on how fast a machine is.
enum Faults {
    /// nil where programs take no library in front of the C library's functions.
    static let library: String? = {
        #if os(Linux)
        FileSystem.join(FileSystem.folder(of: Executable.path), "libFaults.so")
        #else
        nil
        #endif
    }()

    /// How much is tried: some moments chosen with a fixed seed, the many that CI tries, or all there are.
    private enum Extent: String { case some, many, all }

    private static let extent =
        getenv("NOISEBOOK_FAULTS").flatMap { Extent(rawValue: String(cString: $0)) } ?? .some

    static func count(_ some: Int, many: Int) -> Int {
        switch extent {
        case .some: some
        case .many: many
        case .all: .max
        }
    }

    /// Whether what lasts is tried for as long as CI does.
    static var tryMany: Bool { extent != .some }

    /// Operations that change something, by their letters in `faults.c`: opening for writing, writing,
    /// syncing, naming, making and removing.
    static let changing = "owsnmd"
    /// Those of them that need room.
    static let needingRoom = "owsnm"
    /// Those that need a descriptor: opening for writing and for reading.
    static let opening = "or"

    enum Effect {
        /// In front of the operation; a write is half done before SIGKILL.
        case signal(CInt)
        /// The operation fails with this errno.
        case error(CInt)
        /// It and all that follow.
        case errors(CInt)

        fileprivate var text: String {
            switch self {
            case .signal(let number): "signal \(number)"
            case .error(let code): "error \(code)"
            case .errors(let code): "errors \(code)"
            }
        }
    }

    /// One operation of the program.
    struct Operation: Equatable, CustomStringConvertible {
        var kind: Character
        var path: String
        var description: String { "\(kind) \(path)" }

        /// As the library writes it.
        init?(_ line: Substring) {
            guard let kind = line.first, line.dropFirst().first == " " else { return nil }
            (self.kind, path) = (kind, String(line.dropFirst(2)))
        }
    }

    /// The variables with which the program is started.
    static func environment(below folder: String, _ calls: String, at number: Int, _ effect: Effect)
        -> [String: String]
    {
        [
            "LD_PRELOAD": library ?? "", "FAULTS_BELOW": folder, "FAULTS_CALLS": calls,
            "FAULTS_AT": "\(number)", "FAULTS_THEN": effect.text,
        ]
    }

    static func counting(below folder: String, _ calls: String, to trace: String) -> [String: String] {
        ["LD_PRELOAD": library ?? "", "FAULTS_BELOW": folder, "FAULTS_CALLS": calls, "FAULTS_TRACE": trace]
    }

    /// Numbers of the operations that are worth a try: of a long row of writes into one file the first and
    /// the last.
    static func moments(of operations: [Operation]) -> [Int] {
        operations.indices.filter { index in
            let isSameBefore = index > 0 && operations[index - 1] == operations[index]
            let isSameAfter = index + 1 < operations.count && operations[index + 1] == operations[index]
            return !(isSameBefore && isSameAfter)
        }.map { $0 + 1 }
    }
}
