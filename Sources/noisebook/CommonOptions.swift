import ArgumentParser
import Caching
import Files
import Interpreting
import Kernels
import Locations
import Notebooks
import Prompt
import Verbs

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The option of commands that open no files.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Results and errors as JSON, an object a line.")
    var json = false
}

/// Options of commands that open what programs name and run nothing.
struct FileOptions: ParsableArguments {
    @OptionGroup var report: ReportOptions
    @OptionGroup var allowed: AllowedFolders

    var json: Bool { report.json }

    /// What the shared code asks for, at its standard values.
    var common: CommonOptions {
        get throws {
            try CommonOptions.parse(
                (json ? ["--json"] : []) + allowed.read.flatMap { ["--allow-read", $0] }
                    + allowed.write.flatMap { ["--allow-write", $0] })
        }
    }
}

/// Where programs may read and write besides what is theirs: the same for every command that opens what they
/// name.
struct AllowedFolders: ParsableArguments {
    @Option(
        name: .customLong("allow-read"),
        help: "A folder that a notebook or script may read besides its project.")
    var read: [String] = []

    @Option(
        name: .customLong("allow-write"),
        help: "A folder that a notebook or script may write besides its own.")
    var write: [String] = []
}

/// Options that every command that runs programs takes, and the session that they ask for.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Results and errors as JSON, an object a line.")
    var json = false

    @Option(help: "Cores to compute on (default: those that this process may use).")
    var threads: Int?

    @Option(help: "Items that are denoised together at most (default: as many as suit the network).")
    var batch: Int?

    @Option(help: "Added to every seed that is not written out.")
    var seed: Int?

    @Flag(name: .customLong("no-cache"), help: "Compute everything anew, and keep nothing for the next time.")
    var noCache = false

    @Option(
        name: .customLong("cache-limit"),
        help: ArgumentHelp(
            """
            What items in .noisebook/cache may take: 500M, 20G, 0 for none (default: \
            NOISEBOOK_CACHE_LIMIT, else 16G). What a run makes or reads is not removed while it runs.
            """,
            valueName: "size"))
    var cacheLimit: String?

    @Flag(
        name: .customLong("trust-cache"),
        help: """
            Take what others have kept in .noisebook as well, and make it this user's: results, models, \
            trainings under way.
            """)
    var trustsCache = false

    @OptionGroup var allowed: AllowedFolders

    func validate() throws {
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads takes 1 to 256") }
        if let batch, !(1...4096).contains(batch) { throw ValidationError("--batch takes 1 to 4096") }
        if let seed, seed < 0 { throw ValidationError("--seed takes a whole number from 0") }
        if let cacheLimit, ByteSize(cacheLimit) == nil {
            throw ValidationError(
                "--cache-limit takes a size such as 500M, 20G or 0, and `\(cacheLimit)` is none")
        }
        if cacheLimit == nil, let given = Self.givenLimit, ByteSize(given) == nil {
            throw ValidationError(
                "NOISEBOOK_CACHE_LIMIT takes a size such as 500M, 20G or 0, and `\(given)` is none")
        }
        if noCache, trustsCache {
            throw ValidationError(
                "--trust-cache takes what is in the cache, and --no-cache does not look there")
        }
        do { _ = try Signer.named() } catch { throw ValidationError("\(error)") }
    }

    /// Who may make the folder `.noisebook` that computed items are kept in.
    enum CacheUse {
        /// A notebook, a script file, the prompt: below the folder that paths are relative to.
        case make
        /// A program from the command line or standard input: only where a notebook or the prompt has made
        /// it.
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
        return ItemCache(folder: folder, limit: limit ?? ItemCache.standardLimit, uses: Self.uses) {
            [trustsCache] in
            try Signer.user(trustsOthers: trustsCache)
        }
    }

    /// Of all sessions of this command.
    private static let uses = CacheUses()

    private static var givenLimit: String? { EnvironmentVariable.cacheLimit.value }

    /// What may be read and written by a file's program: below its project's folder, and below its own.
    func access(file: String, asker: FileAccess.Asker = .command) -> FileAccess {
        // Of the file itself, so that a link to a notebook opens what it opens.
        let place = NotebookPlace(file)
        let folder = FileSystem.folder(of: place.file)
        return FileGate.user.during {
            FileAccess(
                base: folder, readable: [Project.root(of: folder)] + Project.sharedFolders + allowed.read,
                writable: [folder] + allowed.write,
                own: place.own, asker: asker)
        }
    }
}

extension Session {
    /// Values of params in which a file or folder as seen from the working folder is named so that the
    /// notebook finds it, wherever it lies, and may read it. Below the notebook's folder it is named from
    /// there, so that the record holds on other machines; `isElsewhere` where the record lies in another one.
    func resolvingPaths(_ settings: [ParamWords.Setting], isElsewhere: Bool) -> [ParamWords.Setting] {
        settings.map { name, value in
            let parts = ParamWords.parts(value)
            let found = parts.map { ParamWords.path($0).map { resolved($0, isElsewhere: isElsewhere) } }
            guard found.contains(where: { $0 != nil }) else { return (name, value) }
            // In quotes: a path may have commas in it.
            return (
                name,
                zip(parts, found).map { part, path in path.map(ParamText.quoted) ?? part }.joined(
                    separator: ",")
            )
        }
    }

    private func resolved(_ absolute: String, isElsewhere: Bool) -> String {
        access.gate.permit(absolute, isWritable: false)
        let below = access.base.hasSuffix("/") ? access.base : access.base + "/"
        return absolute.hasPrefix(below) && !isElsewhere ? String(absolute.dropFirst(below.count)) : absolute
    }
}

enum ExitStatus {
    static let differs: Int32 = 1
    static let error: Int32 = 2
    static let interrupted: Int32 = 3

    static func of(_ ending: ProgramResult.Ending) -> Int32 {
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
        if let whole = FileSystem.realPath(path) { return whole }
        guard let above = FileSystem.realPath(FileSystem.folder(of: path)) else { return path }
        return FileSystem.join(above, FileSystem.name(of: path))
    }

    /// The nearest folder at or above `folder` that holds `.git`, else `folder` itself. A home folder under
    /// version control is no project: all that its user has would belong to it.
    static func root(of folder: String) -> String {
        guard var candidate = FileSystem.realPath(folder) else { return folder }
        let home = FileSystem.realPath(Locations.home)
        while true {
            if candidate != home, FileSystem.exists(FileSystem.join(candidate, ".git")) { return candidate }
            let parent = FileSystem.folder(of: candidate)
            if parent == candidate || parent.isEmpty { return folder }
            candidate = parent
        }
    }

    /// Installed game data, the models that ship with the program, the user's, and the Hugging Face cache.
    static var sharedFolders: [String] { Locations.games + [Locations.huggingFace] + Verbs.modelFolders }
}
