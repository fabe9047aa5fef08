import Files
import TestSupport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A folder `work` in which the program runs as a process of its own, over and over from the same beginning.
struct Workplace {
    /// All files below it by their path in it.
    typealias Files = [String: [UInt8]]

    let folder: TemporaryFolder
    var path: String { folder.path("work") }

    /// The small model of the golden data, where it lies: a copy would be too young for its digests to be
    /// remembered, and runs would differ in what they write.
    static let model: String = {
        let path = (try? Golden.topic("models").path("pipeline")) ?? ""
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }()

    init() throws {
        folder = try TemporaryFolder()
        try FileSystem.createFolder(path)
    }

    func at(_ name: String) -> String { FileSystem.join(path, name) }
    func write(_ name: String, _ text: String) throws { try AtomicFile.write(text, to: at(name)) }
    func read(_ name: String) throws -> String { try FileSystem.readText(at(name)) }

    /// Three cells: a model, a sweep with pictures, and tables that are saved. What they give goes by the
    /// file `seed.csv`.
    func writeNotebook(seed: Int) throws {
        try write(
            "n.md",
            """
            # A sweep

            ```noise model
            model = load "\(Self.model)"
            seeds = read seed.csv
            ```

            ```noise pictures
            p = sweep k=1,2 { ["a red dragon", "a blue worm"] | noise of=k seed=(seeds[0].seed) | denoise guidance=1 | decode }
            p | select k text calls generated | table
            ```

            ```noise saved
            p | select k text | save out.csv
            p | select k generated | save pictures
            p.k | describe
            ```

            """)
        try write("seed.csv", "seed\n\(seed)\n")
    }

    // MARK: Running

    /// - Parameter arguments: of the program; `@n.md` is a file here.
    func start(_ arguments: [String], _ environment: [String: String] = [:]) throws -> ChildProcess {
        let words =
            arguments.map { $0.hasPrefix("@") ? at(String($0.dropFirst())) : $0 } + [
                "--allow-read", Self.model,
            ]
        return try ChildProcess(Executable.path, words, output: folder.path("told"), environment: environment)
    }

    @discardableResult func run(_ arguments: [String], _ environment: [String: String] = [:]) throws
        -> ChildProcess.Ended
    {
        try start(arguments, environment).wait()
    }

    /// The same by a shell that sets limits first: `ulimit -n 12`.
    func run(limited: String, _ arguments: [String]) throws -> ChildProcess.Ended {
        let words =
            arguments.map { $0.hasPrefix("@") ? at(String($0.dropFirst())) : $0 } + [
                "--allow-read", Self.model,
            ]
        return try ChildProcess(
            "/bin/sh", ["-c", "\(limited) && exec \"$@\"", "sh", Executable.path] + words,
            output: folder.path("told")
        ).wait()
    }

    // MARK: The beginning

    /// What is here now is what `reset` brings back.
    func keep() throws {
        guard rename(path, folder.path("before")) == 0 else {
            throw ChildProcess.Failure(description: "cannot rename \(path)")
        }
        try reset()
    }

    func reset() throws {
        try AtomicFolder.remove(path)
        // With its times, which the cache goes by.
        let copied = try ChildProcess(
            "/bin/cp", ["-a", folder.path("before"), path], output: folder.path("copied")
        ).wait()
        guard copied.status == 0 else { throw ChildProcess.Failure(description: copied.told) }
    }

    // MARK: What is there

    func files() throws -> Files {
        func below(_ folder: String, _ prefix: String) throws -> Files {
            var files: Files = [:]
            for name in try FileSystem.list(folder) {
                let inner = FileSystem.join(folder, name)
                if FileSystem.isFolder(inner) {
                    files.merge(try below(inner, prefix + name + "/")) { $1 }
                } else {
                    files[prefix + name] = try FileSystem.readBytes(inner)
                }
            }
            return files
        }
        return try below(path, "")
    }

    /// Files and folders that were not finished.
    func leftovers() throws -> [String] {
        func below(_ folder: String) throws -> [String] {
            try FileSystem.list(folder).flatMap { name -> [String] in
                let inner = FileSystem.join(folder, name)
                return (name.contains(".partial") ? [inner] : [])
                    + (FileSystem.isFolder(inner) ? try below(inner) : [])
            }
        }
        return try below(path)
    }
}

extension Workplace.Files {
    /// What users see: all but the cache and what is being written.
    var results: Self {
        filter { $0.key != ".noisebook" && !$0.key.hasPrefix(".noisebook/") && !$0.key.contains(".partial") }
    }
    /// Values in the cache.
    var entries: Self { filter { $0.key.hasPrefix(".noisebook/cache/") && !$0.key.contains(".partial") } }

    /// Pictures that notebooks here show and that are not here.
    var missingPictures: [String] {
        filter { $0.key.hasSuffix(".md") }.flatMap { name, bytes in
            String(decoding: bytes, as: UTF8.self).matches(of: /[\w.-]+\.out\/[0-9a-f]+\.(?:png|csv|svg)/).map
            { String($0.output) }.filter { self[$0] == nil }
        }.sorted()
    }
}
