import Dispatch
import Files
import Synchronization
import Tensors
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A project with a notebook's folder in it, and beside it what is nobody's business.
private struct Ground {
    let temporary: TemporaryFolder
    /// `walks`: as on systems without openat2.
    let gate: FileGate
    let walks: Bool

    static let secret = "hunter2"

    init(walks: Bool) throws {
        self.walks = walks
        temporary = try TemporaryFolder()
        for folder in ["outside/folder", "project/data/inner", "project/nb/res", "project2", "cache/blobs"] {
            try FileSystem.createFolder(temporary.path(folder))
        }
        for file in ["outside/secret", "outside/folder/secret", "outside/folder/kept", "project2/secret"] {
            try AtomicFile.write(Self.secret, to: temporary.path(file))
        }
        for file in ["project/data/x", "project/nb/x", "cache/blobs/x", "project/data/inner/x"] {
            try AtomicFile.write("plain", to: temporary.path(file))
        }
        gate = FileGate(
            readable: [temporary.path("project"), temporary.path("cache")],
            writable: [temporary.path("project/nb")],
            own: [temporary.path("project/nb/n.lock")],
            walks: walks)
    }

    func path(_ name: String) -> String { name.hasPrefix("/") ? name : temporary.path("project/nb/" + name) }

    func link(_ name: String, to target: String) throws {
        try #require(symlink(target, path(name)) == 0, "\(name) -> \(target)")
    }

    /// All that lies outside: names, kinds, contents and times.
    func outside() throws -> [String] {
        func below(_ path: String) throws -> [String] {
            try FileSystem.list(path).flatMap { name -> [String] in
                let inner = FileSystem.join(path, name)
                let stamp = FileStamp(path: inner)?.text ?? "none"
                return FileSystem.isFolder(inner)
                    ? [inner] + (try below(inner))
                    : ["\(inner) \(stamp) \((try? FileSystem.readText(inner)) ?? "")"]
            }
        }
        return try below(temporary.path("outside")) + below(temporary.path("project2"))
    }
}

@Suite("The gate to files", .serialized)
struct FileGateTests {
    /// Ways out of a folder, as a path in it and what is laid for it: after the kernel's own tests of openat2
    /// (tools/testing/selftests/openat2) and those of cap-std.
    static let tricks: [(name: String, path: String, links: [(String, String)])] = [
        ("dots", "../../outside/secret", []),
        ("dots behind a folder", "res/../../../outside/secret", []),
        ("dots behind what is not there", "new/../../../outside/secret", []),
        ("dots behind a link to a folder", "d/../secret", [("d", "../../outside/folder")]),
        ("dots and slashes", ".//./..//../outside/.//secret", []),
        ("an absolute path", "OUTSIDE/secret", []),
        ("an absolute path through the project", "PROJECT/nb/../../outside/secret", []),
        ("a sibling that begins alike", "../../project2/secret", []),
        ("an absolute sibling that begins alike", "PROJECT2/secret", []),
        ("a link to a file", "l", [("l", "../../outside/secret")]),
        ("an absolute link to a file", "l", [("l", "OUTSIDE/secret")]),
        ("a link to a link", "l", [("l", "k"), ("k", "OUTSIDE/secret")]),
        ("a link to a folder", "l/secret", [("l", "../../outside")]),
        ("an absolute link to a folder", "l/secret", [("l", "OUTSIDE")]),
        ("a link to the root", "lOUTSIDE/secret", [("l", "/")]),
        ("a link to the folder above, twice", "u/u/../outside/secret", [("u", "..")]),
        ("a link with dots in a folder's name", "l/secret", [("l", "res/../../../outside")]),
        ("a link behind a link to the project", "p/l/secret", [("p", ".."), ("../l", "../outside")]),
        ("a link to what is not there", "l", [("l", "../../outside/new")]),
        ("a link to a folder that is not there", "l/new", [("l", "../../outside/newer")]),
        ("the process's root", "l/OUTSIDE/secret", [("l", "/proc/self/root")]),
        (
            "the process's working folder", "l/secret",
            [("l", "/proc/self/cwd/../../../../../../../../OUTSIDE")]
        ),
        ("an open file", "l", [("l", "/proc/self/fd/0")]),
        ("a link to itself", "l", [("l", "l")]),
        ("a slash at the end", "l/", [("l", "../../outside/folder")]),
        ("a home folder", "~/../../../outside/secret", []),
        ("a device", "l", [("l", "/dev/zero")]),
        ("a terminal", "l", [("l", "/dev/tty")]),
    ]

    /// What can be done with a path; what it gives, if anything.
    static let operations: [(name: String, perform: @Sendable (String) throws -> String)] = [
        ("read", { try FileSystem.readText($0, limit: 1 << 20) }),
        (
            "read the beginning of",
            { String(decoding: try FileSystem.readPrefix($0, count: 100), as: UTF8.self) }
        ),
        (
            "digest",
            {
                _ = try Digest.sha256(path: $0); return "digested"
            }
        ),
        (
            "open for its digest",
            {
                _ = try FileReading.opened($0); return "opened"
            }
        ),
        (
            "map",
            {
                _ = try SafetensorsFile(path: $0); return "mapped"
            }
        ),
        ("list", { try FileSystem.list($0).joined(separator: " ") }),
        (
            "ask for",
            {
                FileSystem.exists($0) || FileSystem.isFile($0) || FileSystem.isFolder($0)
                    || FileStamp(path: $0) != nil ? "there" : ""
            }
        ),
        (
            "ask for among many",
            {
                FileSystem.areFiles(
                    [FileSystem.name(of: $0), FileSystem.name(of: $0)], in: FileSystem.folder(of: $0)
                ).contains(true) ? "there" : ""
            }
        ),
        ("ask whether it may be written", { FileSystem.isWritable($0) ? "writable" : "" }),
        (
            "write",
            {
                try AtomicFile.write("owned", to: $0); return ""
            }
        ),
        (
            "append to",
            {
                try FileSystem.append("owned\n", to: $0); return ""
            }
        ),
        (
            "make a folder at",
            {
                try FileSystem.createFolder($0); return ""
            }
        ),
        (
            "write a folder at",
            {
                try AtomicFolder.write(to: $0, replacing: true) {
                    try AtomicFile.write("owned", to: FileSystem.join($0, "f"))
                }; return ""
            }
        ),
        (
            "copy",
            { path in
                try FileSystem.copy(path, to: FileSystem.join(FileSystem.folder(of: path), "copied"));
                return "copied"
            }
        ),
        (
            "copy files of",
            { path in
                try AtomicFolder.copyFiles(
                    of: path, to: FileSystem.join(FileSystem.folder(of: path), "copied"));
                return ""
            }
        ),
        (
            "touch",
            {
                FileStamp.touch($0); return ""
            }
        ),
        (
            "remove a leftover at",
            {
                _ = UnderConstruction.removeIfLeft($0); return ""
            }
        ),
        (
            "remove an empty folder at",
            {
                try FileSystem.removeEmptyFolder($0); return ""
            }
        ),
        (
            "remove",
            {
                try FileSystem.removeFile($0); return ""
            }
        ),
        (
            "remove all of",
            {
                try AtomicFolder.remove($0); return ""
            }
        ),
    ]

    @Test("no way leads out, whatever is done with it", arguments: tricks.map(\.name), [false, true])
    func leaving(_ name: String, walks: Bool) throws {
        let trick = try #require(Self.tricks.first { $0.name == name })
        var record = ReliabilityRecord(.files, "out of a folder by \(name)\(walks ? ", name by name" : "")")
        defer { try? record.write() }
        for operation in Self.operations {
            let ground = try Ground(walks: walks)
            func named(_ text: String) -> String {
                text.replacing("OUTSIDE", with: ground.temporary.path("outside")).replacing(
                    "PROJECT2", with: ground.temporary.path("project2")
                )
                .replacing("PROJECT", with: ground.temporary.path("project"))
            }
            for (link, target) in trick.links { try ground.link(link, to: named(target)) }
            let before = try ground.outside()
            let path = ground.path(named(trick.path))
            let found = ground.gate.during { try? operation.perform(path) }
            // Of a path that ends in a link the link itself may be removed, which is the notebook's.
            let isRefused = try found ?? "" == "" && ground.outside() == before
            #expect(isRefused, "\(operation.name) by \(name): \(found ?? "")")
            record.note(isRefused ? "nothing read or changed" : "NOT AS IT SHOULD BE")
        }
    }

    @Test(
        "the same operations work on what is inside: none of the refusals above is a fault of the test",
        arguments: [false, true])
    func inside(walks: Bool) throws {
        let others = [
            "map", "list", "copy files of", "remove an empty folder at", "write a folder at",
            "make a folder at",
        ]
        for operation in Self.operations where !others.contains(operation.name) {
            let ground = try Ground(walks: walks)
            _ = try ground.gate.during { try operation.perform(ground.path("x")) }
        }
        let ground = try Ground(walks: walks)
        try ground.gate.during {
            #expect(try FileSystem.list(ground.path("res")) == [])
            try FileSystem.createFolder(ground.path("a/b/c"))
            try AtomicFolder.write(to: ground.path("a/f")) {
                try AtomicFile.write("1", to: FileSystem.join($0, "one"))
            }
            try AtomicFolder.write(to: ground.path("a/f"), replacing: true) {
                try AtomicFile.write("2", to: FileSystem.join($0, "two"))
            }
            #expect(
                try FileSystem.list(ground.path("a")) == ["b", "f"]
                    && FileSystem.list(ground.path("a/f")) == ["two"])
            try AtomicFolder.copyFiles(of: ground.path("a/f"), to: ground.path("a/g"))
            #expect(try FileSystem.readText(ground.path("a/g/two")) == "2")
            try AtomicFolder.remove(ground.path("a"))
            #expect(!FileSystem.exists(ground.path("a")))
        }
    }

    @Test(
        "links are followed as far as the roots reach, from one to the other too", arguments: [false, true])
    func links(walks: Bool) throws {
        let ground = try Ground(walks: walks)
        try ground.link("near", to: "x")
        try ground.link("above", to: "../data/x")
        try ground.link("folder", to: "../data/inner")
        try ground.link("absolute", to: ground.temporary.path("project/data/x"))
        // As the Hugging Face cache has them, linked from a project.
        try ground.link("cached", to: ground.temporary.path("cache/blobs/x"))
        try #require(symlink("blobs", ground.temporary.path("cache/snapshot")) == 0)
        try ground.link("model", to: ground.temporary.path("cache/snapshot"))
        for name in [
            "near", "above", "folder/x", "absolute", "cached", "model/x", "../nb/../data/./x", "folder/../x",
        ] {
            #expect(ground.gate.during { try? FileSystem.readText(ground.path(name)) } == "plain", "\(name)")
        }
        // Read through a link, and written where the link leads only if that may be written.
        ground.gate.during {
            #expect(throws: EngineError.self) { try AtomicFile.write("owned", to: ground.path("above")) }
            #expect(throws: EngineError.self) { try AtomicFile.write("owned", to: ground.path("model/x")) }
            #expect(throws: Never.self) { try AtomicFile.write("new", to: ground.path("near")) }
        }
        #expect(
            try FileSystem.readText(ground.path("x")) == "new"
                && FileSystem.readText(ground.temporary.path("project/data/x")) == "plain")
        #expect(FileSystem.followingLinks(ground.path("near")) == ground.path("x"))
        // The project's root by another name.
        try #require(symlink("project", ground.temporary.path("other")) == 0)
        #expect(
            ground.gate.during { try? FileSystem.readText(ground.temporary.path("other/data/x")) } == "plain")
        #expect(
            ground.gate.during { FileSystem.exists(ground.temporary.path("other/../outside/secret")) }
                == false)
    }

    @Test("refusals tell reading from writing, and nothing of what is there")
    func refusals() throws {
        let ground = try Ground(walks: false)
        ground.gate.during {
            for path in ["../../outside/secret", "../../outside/none"] {
                let reading = #expect(throws: EngineError.self) { try FileSystem.readText(ground.path(path)) }
                #expect(
                    reading?.kind == .notReadable && reading?.message == "lies outside what may be read here")
                let writing = #expect(throws: EngineError.self) {
                    try AtomicFile.write("", to: ground.path(path))
                }
                #expect(
                    writing?.kind == .notWritable
                        && writing?.message == "lies outside what may be written here")
            }
            let known = #expect(throws: EngineError.self) {
                try AtomicFile.write("", to: ground.path("../data/x"))
            }
            #expect(known?.kind == .notWritable)
        }
    }

    @Test("the program's own files are never links, with the user's rights too", arguments: [false, true])
    func own(walks: Bool) throws {
        let ground = try Ground(walks: walks)
        // Inside the folder: any other file could be written through such a link.
        for name in ["n.lock", ".noisebook"] { try ground.link(name, to: name == "n.lock" ? "x" : "res") }
        for gate in [ground.gate, .user] {
            gate.during {
                for path in [".noisebook/log", ".noisebook/digests"] + (gate.isRestricted ? ["n.lock"] : []) {
                    for operation in Self.operations
                    where operation.name != "remove" && operation.name != "remove all of" {
                        let found = try? operation.perform(ground.path(path))
                        #expect(found ?? "" == "", "\(operation.name) \(path)")
                    }
                }
                let refusal = #expect(throws: EngineError.self) {
                    try FileSystem.append("a", to: ground.path(".noisebook/log"))
                }
                #expect(refusal?.message.contains("is a link") ?? false)
            }
        }
        #expect(
            try FileSystem.list(ground.path("res")) == [] && FileSystem.readText(ground.path("x")) == "plain")
        #expect(FileSystem.followingLinks(ground.path("n.lock")) == ground.path("x"))
        // Files whose names only look like it are as others.
        try FileSystem.createFolder(ground.path("my.noisebook"))
        try ground.link("my.noisebook/l", to: "../x")
        #expect(ground.gate.during { try? FileSystem.readText(ground.path("my.noisebook/l")) } == "plain")
    }

    /// What may be done to a pipe.
    private static let harmless = [
        "ask for", "ask for among many", "ask whether it may be written", "touch", "remove", "remove all of",
        "remove a leftover at", "write a folder at",
    ]

    @Test("pipes, sockets and devices are errors at once", arguments: [false, true])
    func unusual(walks: Bool) throws {
        let ground = try Ground(walks: walks)
        try #require(mkfifo(ground.path("pipe"), 0o600) == 0)
        for gate in [ground.gate, .user] {
            gate.during {
                for operation in Self.operations where !Self.harmless.contains(operation.name) {
                    #expect(throws: EngineError.self, "\(operation.name)") {
                        try operation.perform(ground.path("pipe"))
                    }
                }
            }
        }
        let device = #expect(throws: EngineError.self) { try FileSystem.readText("/dev/zero") }
        #expect(device?.message == "expected an ordinary file, found a device")
        let pipe = #expect(throws: EngineError.self) { try FileSystem.readText(ground.path("pipe")) }
        #expect(pipe?.message == "expected an ordinary file, found a pipe")
    }

    @Test("a single file that the user names opens nothing beside it", arguments: [false, true])
    func single(walks: Bool) throws {
        let ground = try Ground(walks: walks)
        ground.gate.permit(ground.temporary.path("outside/secret"), isWritable: false)
        try #require(symlink("../secret", ground.temporary.path("outside/folder/up")) == 0)
        ground.gate.during {
            #expect((try? FileSystem.readText(ground.path("../../outside/secret"))) == Ground.secret)
            #expect((try? FileSystem.readText(ground.path("../../outside/folder/secret"))) == nil)
            #expect((try? FileSystem.list(ground.path("../../outside"))) == nil)
            #expect((try? FileSystem.readText(ground.path("../../outside/secret/../folder/secret"))) == nil)
            #expect(throws: EngineError.self) {
                try AtomicFile.write("", to: ground.path("../../outside/secret"))
            }
        }
    }

    @Test("another thread opens nothing unless it was given the gate, once the program has begun")
    func threads() throws {
        // What the program does first is not done here, where other tests run: that a gate does not pass to
        // another thread is what matters.
        let ground = try Ground(walks: false)
        #expect(ground.gate.during { FileGate.current === ground.gate })
        #expect(FileGate.current === FileGate.user)
    }

    /// Two threads: one makes a folder a link to the outside and back as fast as it can, the other does what
    /// a program does.
    @Test("a folder that becomes a link between two steps gives nothing away", arguments: [false, true])
    func race(walks: Bool) throws {
        let ground = try Ground(walks: walks)
        try FileSystem.createFolder(ground.path("swap"))
        try AtomicFile.write("plain", to: ground.path("swap/secret"))
        try ground.link("swapped", to: ground.temporary.path("outside/folder"))
        let before = try ground.outside()
        let isOver = Atomic<Bool>(false)
        let folder = ground.path("")
        let swapping = DispatchGroup()
        DispatchQueue.global().async(group: swapping) {
            while !isOver.load(ordering: .relaxed) {
                for (old, new) in [
                    ("swap", "aside"), ("swapped", "swap"), ("swap", "swapped"), ("aside", "swap"),
                ] { _ = rename(folder + old, folder + new) }
            }
        }
        var read = 0
        ground.gate.during {
            for turn in 0..<3000 {
                let found = try? FileSystem.readText(ground.path("swap/secret"))
                if found != nil { read += 1 }
                if found == Ground.secret { Issue.record("read what lies outside in turn \(turn)") }
                if let listed = try? FileSystem.list(ground.path("swap")), listed.contains("kept") {
                    Issue.record("listed what lies outside")
                }
                try? AtomicFile.write(Array("owned".utf8), to: ground.path("swap/new"), durable: false)
                try? FileSystem.removeFile(ground.path("swap/kept"))
            }
        }
        isOver.store(true, ordering: .relaxed)
        swapping.wait()
        #expect(read > 0)
        #expect(try ground.outside() == before)
    }
}
