import ArgumentParser
import Caching
import Files
import Interpreting
import Kernels
import Prompt
import Verbs

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The option of commands that run nothing.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Results and errors as JSON, an object a line.")
    var json = false

    /// What the shared code asks for, at its standard values.
    var common: CommonOptions {
        get throws { try CommonOptions.parse(json ? ["--json"] : []) }
    }
}

/// Options that every command that runs programs takes, and the session that they ask for.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Results and errors as JSON, an object a line.")
    var json = false

    @Option(help: "Cores to compute on (standard: those that this process may use).")
    var threads: Int?

    @Option(help: "Items that are denoised together at most (standard: as many as suit the network).")
    var batch: Int?

    @Option(help: "Added to every seed that is not written out.")
    var seed: Int?

    @Flag(name: .customLong("no-cache"), help: "Compute everything anew, and keep nothing for the next time.")
    var noCache = false

    @Option(
        name: .customLong("cache-limit"),
        help: ArgumentHelp(
            "What items in .noisebook/cache may take: 500M, 20G, 0 for none (standard: NOISEBOOK_CACHE_LIMIT, else 16G). What a run makes or reads is not removed while it runs.",
            valueName: "size"))
    var cacheLimit: String?

    @Option(name: .customLong("allow-read"), help: "A folder that a notebook or script may read besides its project.")
    var allowRead: [String] = []

    @Option(name: .customLong("allow-write"), help: "A folder that a notebook or script may write besides its own.")
    var allowWrite: [String] = []

    func validate() throws {
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads takes 1 to 256") }
        if let batch, !(1...4096).contains(batch) { throw ValidationError("--batch takes 1 to 4096") }
        if let seed, seed < 0 { throw ValidationError("--seed takes a whole number from 0") }
        if let cacheLimit, ByteSize(cacheLimit) == nil {
            throw ValidationError("--cache-limit takes a size such as 500M, 20G or 0, and `\(cacheLimit)` is none")
        }
        if cacheLimit == nil, let given = Self.givenLimit, ByteSize(given) == nil {
            throw ValidationError("NOISEBOOK_CACHE_LIMIT takes a size such as 500M, 20G or 0, and `\(given)` is none")
        }
    }

    /// Who may make the folder `.noisebook` that computed items are kept in.
    enum CacheUse {
        /// A notebook, a script file, the prompt: below the folder that paths are relative to.
        case make
        /// A program from the command line or standard input: only where a notebook or the prompt has made it.
        case ifThere
        case none
    }

    /// A session with these settings; signals are told to it from now on.
    func session(access: FileAccess, cache: CacheUse) -> Session {
        let session = Session(verbs: Verbs.registry, access: access)
        session.cache = itemCache(access.base, cache)
        if let threads {
            session.settings.threads = threads
            ThreadPool.shared.threadCount = threads
        }
        if let batch { session.settings.batch = batch }
        if let seed { session.settings.seed = seed }
        if isatty(STDERR_FILENO) == 1 { session.progress = ProgressBar() }
        Interrupts.install(session.cancellation)
        return session
    }

    /// One that may not be written is read all the same, and the run tells what it could not keep.
    func itemCache(_ base: String, _ use: CacheUse) -> ItemCache? {
        let folder = FileSystem.join(base, ".noisebook")
        guard !noCache, use != .none, use == .make || FileSystem.isFolder(folder) else { return nil }
        let limit = (cacheLimit ?? Self.givenLimit).flatMap { ByteSize($0) }?.bytes
        return ItemCache(folder: folder, limit: limit ?? ItemCache.standardLimit, uses: Self.uses)
    }

    /// Of all sessions of this command.
    private static let uses = CacheUses()

    private static var givenLimit: String? { getenv("NOISEBOOK_CACHE_LIMIT").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }

    /// What may be read and written by a file's program: see `product.md`.
    func access(file: String) -> FileAccess {
        let folder = FileSystem.folder(of: file)
        let own = folder.isEmpty ? "." : folder
        return FileAccess(base: own, readable: [Project.root(of: own)] + Project.sharedFolders + allowRead, writable: [own] + allowWrite)
    }
}

extension Session {
    /// Sets params from the command line. A value with a slash or an ending that is a file or folder as seen from the working folder means that,
    /// wherever the notebook lies, and naming it allows reading it.
    func set(_ values: [(name: String, value: String)]) {
        for (name, value) in values {
            guard value.contains("/") || (value.contains(".") && Double(value) == nil), let path = realpath(value, nil) else {
                parameters[name] = value
                continue
            }
            defer { free(path) }
            let absolute = String(cString: path)
            parameters[name] = absolute
            access.readable?.append(absolute)
        }
    }
}

enum ExitStatus {
    static let differs: Int32 = 1
    static let error: Int32 = 2
    static let interrupted: Int32 = 3

    static func of(_ ending: RunResult.Ending) -> Int32 {
        switch ending {
        case .finished: 0
        case .unmet: differs
        case .failed: error
        case .interrupted: interrupted
        }
    }
}

/// Where a notebook's project ends.
enum Project {
    /// One spelling for each file, also for one that is not there yet.
    static func resolved(_ path: String) -> String {
        guard let whole = realpath(path, nil) else {
            let folder = FileSystem.folder(of: path)
            guard let above = realpath(folder.isEmpty ? "." : folder, nil) else { return path }
            defer { free(above) }
            return FileSystem.join(String(cString: above), FileSystem.name(of: path))
        }
        defer { free(whole) }
        return String(cString: whole)
    }

    /// The nearest folder at or above `folder` that holds `.git`, else `folder` itself.
    static func root(of folder: String) -> String {
        guard let resolved = realpath(folder, nil) else { return folder }
        defer { free(resolved) }
        var candidate = String(cString: resolved)
        while true {
            if FileSystem.exists(FileSystem.join(candidate, ".git")) { return candidate }
            let parent = FileSystem.folder(of: candidate)
            if parent == candidate || parent.isEmpty { return folder }
            candidate = parent
        }
    }

    /// Installed game data and the Hugging Face cache.
    static var sharedFolders: [String] {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }
        let home = variable("HOME")
        let cache = variable("HF_HOME") ?? variable("XDG_CACHE_HOME").map { $0 + "/huggingface" } ?? home.map { $0 + "/.cache/huggingface" }
        return ["/usr/share/games", "/usr/share/crawl", "/usr/share/angband", "/etc/angband"] + [cache, variable("HF_HUB_CACHE")].compactMap { $0 }
    }
}
