import Files
import Tensors
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Files and folders")
struct FileSystemTests {
    @Test("a written file has its content and leaves nothing else in the folder")
    func atomic() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("note.txt")
        try AtomicFile.write("first", to: path)
        try AtomicFile.write("second", to: path)
        #expect(try FileSystem.readText(path) == "second")
        try AtomicFile.write(to: path) { sink in
            for part in ["a", "", "bc"] { try sink.write(Array(part.utf8)) }
        }
        #expect(try FileSystem.readText(path) == "abc")
        #expect(try FileSystem.list(temporary.path) == ["note.txt"])
    }

    @Test("a write that fails half-way leaves the old content and no temporary")
    func failing() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("note.txt")
        try AtomicFile.write("old", to: path)
        let error = #expect(throws: EngineError.self) {
            try AtomicFile.write(to: path) { sink in
                try sink.write([1, 2, 3])
                throw EngineError(.interrupted, "stopped")
            }
        }
        #expect(error?.kind == .interrupted)
        #expect(try FileSystem.readText(path) == "old")
        #expect(try FileSystem.list(temporary.path) == ["note.txt"])
    }

    @Test(
        """
        what a killed process had begun goes with the next write into its folder, what another is writing \
        stays
        """)
    func leftovers() throws {
        let temporary = try TemporaryFolder()
        func lay(_ folder: String) throws {
            try FileSystem.createFolder(folder)
            for name in [
                ".noisebook-a1.partial", ".noisebook-b2.partial", ".noisebook-mine.txt", "a.partial",
            ] {
                try AtomicFile.write("x", to: temporary.path("laid"))
                try #require(rename(temporary.path("laid"), FileSystem.join(folder, name)) == 0)
            }
            try FileSystem.createFolder(FileSystem.join(folder, ".noisebook-c3.partial/inner"))
        }
        let files = temporary.path("files"), folders = temporary.path("folders")
        for folder in [files, folders] { try lay(folder) }
        // Another process holds a lock on what it writes.
        let held = [files, folders].map { open(FileSystem.join($0, ".noisebook-b2.partial"), O_RDONLY) }
        defer { for descriptor in held { close(descriptor) } }
        for descriptor in held { try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0) }
        try AtomicFile.write("x", to: FileSystem.join(files, "new"))
        try AtomicFolder.write(to: FileSystem.join(folders, "new")) {
            try AtomicFile.write("x", to: FileSystem.join($0, "inner"))
        }
        for folder in [files, folders] {
            #expect(
                try FileSystem.list(folder) == [
                    ".noisebook-b2.partial", ".noisebook-mine.txt", "a.partial", "new",
                ])
        }
    }

    @Test("a folder is written whole or not at all, and replaces one only where that is asked")
    func folder() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("model")
        func fill(_ text: String) -> (String) throws -> Void {
            { try AtomicFile.write(text, to: FileSystem.join($0, "weights")) }
        }
        try AtomicFolder.write(to: path, fill("one"))
        #expect(throws: EngineError.self) { try AtomicFolder.write(to: path, fill("two")) }
        let error = #expect(throws: EngineError.self) {
            try AtomicFolder.write(to: path, replacing: true) {
                try AtomicFile.write("two", to: FileSystem.join($0, "none/weights"))
            }
        }
        #expect(error?.place == temporary.path("model/none/weights"))
        #expect(try FileSystem.readText(temporary.path("model/weights")) == "one")
        try AtomicFolder.write(to: path, replacing: true, fill("three"))
        #expect(try FileSystem.readText(temporary.path("model/weights")) == "three")
        #expect(try FileSystem.list(temporary.path) == ["model"])
    }

    @Test("a folder that is missing, a folder in the file's place and a device are errors that name the path")
    func refused() throws {
        let temporary = try TemporaryFolder()
        try AtomicFile.write("x", to: temporary.path("file"))
        for path in [
            temporary.path("none/a.txt"), temporary.path, "/dev/null", "", "a\0b",
            temporary.path("file/a.txt"),
        ] {
            let error = #expect(throws: EngineError.self, "\(path)") { try AtomicFile.write("x", to: path) }
            #expect(error?.place == path)
        }
        #expect(!FileSystem.isFile("/dev/null"))
        #expect(try FileSystem.list(temporary.path) == ["file"])
    }

    @Test("folders are made with those above them, listed in byte order, and told when missing")
    func folders() throws {
        let temporary = try TemporaryFolder()
        let deep = temporary.path("a/b/c")
        try FileSystem.createFolder(deep)
        try FileSystem.createFolder(deep)
        #expect(FileSystem.isFolder(deep))
        for name in ["b", "a", "Z", "ä", ".hidden", "a10", "a2"] {
            try AtomicFile.write(name, to: FileSystem.join(deep, name))
        }
        #expect(try FileSystem.list(deep) == [".hidden", "Z", "a", "a10", "a2", "b", "ä"])
        for path in [temporary.path("none"), FileSystem.join(deep, "a")] {
            let error = #expect(throws: EngineError.self) { try FileSystem.list(path) }
            #expect(error?.place == path)
        }
        #expect(throws: EngineError.self) { try FileSystem.createFolder(FileSystem.join(deep, "a/x")) }
        try FileSystem.removeFile(FileSystem.join(deep, "a"))
        try FileSystem.removeFile(FileSystem.join(deep, "a"))
        #expect(!FileSystem.exists(FileSystem.join(deep, "a")))
    }

    @Test("a folder that several make at once is there for all of them")
    func foldersAtOnce() async throws {
        let temporary = try TemporaryFolder()
        for round in 0..<2000 {
            try await withThrowingTaskGroup(of: Void.self) { makers in
                for _ in 0..<4 {
                    makers.addTask { try FileSystem.createFolder(temporary.path("\(round)/b/c")) }
                }
                try await makers.waitForAll()
            }
        }
    }

    @Test("a limit holds for files and for devices without an end")
    func limits() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("ten")
        try AtomicFile.write("0123456789", to: path)
        #expect(try FileSystem.readBytes(path, limit: 10).count == 10)
        #expect(throws: EngineError.self) { try FileSystem.readBytes(path, limit: 9) }
        #expect(throws: EngineError.self) { try FileSystem.readBytes("/dev/zero", limit: 1 << 20) }
        #expect(try FileSystem.readPrefix(path, count: 3) == Array("012".utf8))
        #expect(try FileSystem.readPrefix(path, count: 30).count == 10)
    }

    @Test("a file that is missing, a folder, and bytes that are no text are told")
    func unreadable() throws {
        let temporary = try TemporaryFolder()
        try AtomicFile.write([0xff, 0xfe, 0x00], to: temporary.path("bytes"))
        for path in [temporary.path("none"), temporary.path, temporary.path("bytes"), ""] {
            let error = #expect(throws: EngineError.self, "\(path)") { try FileSystem.readText(path) }
            #expect(error?.place == (path.hasSuffix("bytes") ? path + ", line 1, byte 1" : path))
        }
        for (bytes, place) in [
            ("a\nbc", "line 2, byte 3"), ("a\r\nb\r\n", "line 3, byte 1"), ("\r\ré", "line 3, byte 3"),
        ] {
            try AtomicFile.write(Array(bytes.utf8) + [0xC3, 0x28], to: temporary.path("bytes"))
            let error = #expect(throws: EngineError.self) { try FileSystem.readText(temporary.path("bytes")) }
            #expect(
                error?.place?.hasSuffix("/bytes, " + place) == true && error?.message.contains("0xC3") == true
            )
        }
    }

    @Test("links are followed to the file, relative to where they are")
    func links() throws {
        let temporary = try TemporaryFolder()
        try FileSystem.createFolder(temporary.path("a"))
        try AtomicFile.write("x", to: temporary.path("a/x"))
        for (target, link) in [("x", "a/y"), ("a/y", "z"), (temporary.path("a/x"), "w"), ("nowhere", "v")] {
            #expect(symlink(target, temporary.path(link)) == 0)
        }
        #expect(
            ["a/x", "a/y", "z", "w", "none"].map { FileSystem.followingLinks(temporary.path($0)) }
                == ["a/x", "a/x", "a/x", "a/x", "none"].map(temporary.path))
        #expect(
            FileSystem.followingLinks(temporary.path("v")) == temporary.path("nowhere")
                && FileSystem.followingLinks("n.md") == "n.md")
    }

    @Test("a word is quoted where a shell would take it for more")
    func words() {
        #expect(
            ["n.md", "a/b-c_d.md", "größe=3,4", "~/x"].map(ShellWord.quoted) == [
                "n.md", "a/b-c_d.md", "größe=3,4", "'~/x'",
            ])
        #expect(
            ["a b", "it's", "$HOME", "", "a;b", "x*"].map(ShellWord.quoted) == [
                "'a b'", "'it'\\''s'", "'$HOME'", "''", "'a;b'", "'x*'",
            ])
    }

    @Test("paths are joined and taken apart")
    func paths() {
        #expect(
            FileSystem.join("a", "b") == "a/b" && FileSystem.join("a/", "b") == "a/b"
                && FileSystem.join("a", "/b") == "/b" && FileSystem.join("", "b") == "b")
        #expect(
            FileSystem.folder(of: "a/b/c.png") == "a/b" && FileSystem.folder(of: "c.png") == "."
                && FileSystem.folder(of: "/c") == "/"
                && FileSystem.folder(of: "a/b/") == "a")
        #expect(
            FileSystem.name(of: "a/b/c.png") == "c.png" && FileSystem.name(of: "c") == "c"
                && FileSystem.name(of: "/") == "/")
        #expect(
            FileSystem.name(of: "a//") == "a" && FileSystem.name(of: "/a") == "a"
                && FileSystem.name(of: "") == "" && FileSystem.folder(of: "//x") == "/")
    }

    @Test("checksums are those of FIPS 180-4 and of the golden manifest")
    func checksums() throws {
        #expect(
            try Digest.sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(try Digest.sha256([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let images = try Golden.topic("images").folder("png")
        for name in try images.files(ending: ".png") {
            #expect(try Digest.sha256(path: images.path(name)) == Digest.sha256(images.bytes(name)))
        }
        let temporary = try TemporaryFolder()
        try AtomicFile.write("", to: temporary.path("empty"))
        #expect(try Digest.sha256(path: temporary.path("empty")) == Digest.sha256([]))
        #expect(throws: EngineError.self) { try Digest.sha256(path: temporary.path("none")) }
    }
}
