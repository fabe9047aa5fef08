import Files
import TestSupport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A folder with a notebook, its results and a cache, where the program runs as a process of its own.
struct Desk {
    let folder: TemporaryFolder
    /// The notebook as it was before anything ran.
    private let text: String

    /// Two points of three prompts, behind a cell that shows something before they begin.
    init(steps: Int = 4) throws {
        folder = try TemporaryFolder()
        text = """
            # A sweep

            ```noise model
            model = load monsters
            model.parameters
            ```

            ```noise pictures
            p = sweep k=\(steps),\(steps + 1) { ["a red dragon", "a blue worm", "a bat"] | noise of=k seed=1 | denoise guidance=1 | decode }
            p | select k text calls generated | table
            ```
            """
        try lay()
    }

    /// Lays the notebook there, without results.
    func lay(as name: String = "n") throws { try AtomicFile.write(text, to: folder.path(name + ".md")) }

    // MARK: Running

    func start(_ arguments: [String] = ["--write"], notebook: String = "n", output: String = "told") throws
        -> ChildProcess
    {
        try ChildProcess(
            Executable.path,
            ["run", folder.path(notebook + ".md"), "--threads", "1", "--batch", "2"] + arguments,
            output: folder.path(output))
    }

    @discardableResult func run(_ arguments: [String] = ["--write"]) throws -> ChildProcess.Ended {
        try start(arguments).wait()
    }

    /// How far a run is: the files that it makes one after the other, values in the cache first.
    func progress() throws -> Int {
        try Self.entryNames(in: folder).count + results().count { $0.key != ".md" }
    }

    /// Lets a run go on to a place of its way that is drawn: some of its `whole` files, and up to 20 ms more,
    /// so that it may be in the middle of something. A place and not a time: a busy machine makes a run
    /// slower, and it would always be at its beginning.
    func advance(_ process: ChildProcess, of whole: Int, _ generator: inout SmallGenerator) throws {
        let begun = try progress()
        let place = begun + generator.next(below: max(whole - begun, 0) + 2)
        guard try process.stop(when: { try progress() >= place }) else { return }
        process.resume()
        usleep(UInt32(generator.next(below: 20_000)))
    }

    // MARK: Results

    /// Text, lock and pictures, each by its name after the notebook's.
    func results(of name: String = "n") throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for ending in [".md", ".lock"] where FileSystem.exists(folder.path(name + ending)) {
            files[ending] = try FileSystem.readBytes(folder.path(name + ending))
        }
        let pictures = folder.path(name + ".out")
        guard FileSystem.isFolder(pictures) else { return files }
        for file in try FileSystem.list(pictures) {
            files["/" + file] = try FileSystem.readBytes(FileSystem.join(pictures, file))
        }
        return files
    }

    func forgetCache() throws { try AtomicFolder.remove(folder.path(".noisebook")) }

    func forgetResults() throws {
        for name in ["n.out", "n.lock"] { try AtomicFolder.remove(folder.path(name)) }
        try lay()
    }

    // MARK: The cache

    /// Entries of the cache by name, without what is being written.
    func entries() throws -> [String: [UInt8]] {
        let cache = folder.path(".noisebook/cache")
        var entries: [String: [UInt8]] = [:]
        // The process may remove entries at any time.
        for name in try Self.entryNames(in: folder) {
            entries[name] = try? FileSystem.readBytes(FileSystem.join(cache, name))
        }
        return entries
    }

    /// `d2/60d3df2c…`
    static func entryNames(in folder: TemporaryFolder) throws -> [String] {
        let cache = folder.path(".noisebook/cache")
        guard FileSystem.isFolder(cache) else { return [] }
        return try FileSystem.list(cache).flatMap { inner in
            try FileSystem.list(FileSystem.join(cache, inner)).filter { !$0.hasSuffix(".partial") }.map {
                inner + "/" + $0
            }
        }
    }

    /// Whether an entry holds the digest of its content: a line that names the format, the digest, a
    /// signature, the content.
    static func isWhole(_ entry: [UInt8]) throws -> Bool {
        guard let end = entry.firstIndex(of: UInt8(ascii: "\n")), entry.count > end + 64 + Signer.length
        else { return false }
        return try Digest.sha256(Array(entry[(end + 65 + Signer.length)...]))
            == String(decoding: entry[(end + 1)...(end + 64)], as: UTF8.self)
    }

    /// Files and folders that were not finished, anywhere here.
    func leftovers() throws -> [String] {
        func below(_ path: String) throws -> [String] {
            try FileSystem.list(path).flatMap { name -> [String] in
                let inner = FileSystem.join(path, name)
                return (name.hasSuffix(".partial") ? [inner] : [])
                    + (FileSystem.isFolder(inner) ? try below(inner) : [])
            }
        }
        return try below(folder.path)
    }
}

extension [String: [UInt8]] {
    /// Names of files that differ from those expected or are missing, in order: what a reader of a failed
    /// test wants to know.
    func differences(from expected: [String: [UInt8]]) -> [String] {
        Set(keys).union(expected.keys).filter { self[$0] != expected[$0] }.sorted()
    }

    var pictures: Int { keys.count { $0.hasSuffix(".png") } }
}
