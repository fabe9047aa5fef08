import Files
import Tensors
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What was read is what is digested, whatever happens to the file.
@Suite("Files as they were read") struct FileReadingTests {
    private static func weights(_ value: Float, count: Int = 50_000) -> Tensor {
        Tensor(shape: [count], values: (0..<count).map { Float($0) * value })
    }

    private static func file(_ folder: TemporaryFolder, _ value: Float = 1) throws -> String {
        let path = folder.path("w.safetensors")
        try Safetensors.write(["w": weights(value)], to: path)
        return path
    }

    /// Writes into the file that is there, as `cp` over it does.
    private static func overwrite(_ path: String, _ bytes: [UInt8], cutting: Bool = false) throws {
        let descriptor = open(path, O_WRONLY | (cutting ? O_TRUNC : 0))
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
    }

    @Test("of a mapped file that is replaced by renaming, the digest is that of the mapped bytes")
    func renamed() throws {
        let folder = try TemporaryFolder()
        let path = try Self.file(folder)
        let before = try Digest.sha256(path: path)
        let (file, readings) = try OpenedFiles.during { try SafetensorsFile(path: path) }
        try Safetensors.write(["w": Self.weights(2)], to: path)
        #expect(readings.map(\.path) == [path])
        #expect(try readings[0].digest() == before)
        try readings[0].confirm()
        #expect(try file.tensor("w").values == Self.weights(1).values)
        #expect(try Digest.sha256(path: path) != before)
    }

    @Test("another name of the file is no change of it") func moved() throws {
        let folder = try TemporaryFolder()
        let path = try Self.file(folder)
        let file = try SafetensorsFile(path: path)
        _ = try file.reading.digest()
        #expect(rename(path, folder.path("other")) == 0)
        try file.reading.confirm()
    }

    @Test(
        """
        a file that is written over in place is noticed, also where its size and modification time are as \
        before
        """, arguments: [false, true])
    func inPlace(_ isDigested: Bool) throws {
        let folder = try TemporaryFolder()
        let path = try Self.file(folder)
        var status = stat()
        #expect(stat(path, &status) == 0)
        let file = try SafetensorsFile(path: path)
        if isDigested { _ = try file.reading.digest() }
        var bytes = try FileSystem.readBytes(path)
        bytes[bytes.count - 3] ^= 1
        try Self.overwrite(path, bytes)
        if isDigested {
            let times = [status.st_atim, status.st_mtim]
            #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
            #expect(FileStamp(path: path)?.modified == file.reading.stamp.modified)
        }
        #expect { try file.reading.confirm() } throws: {
            ($0 as? EngineError)?.message.contains("was written over") == true
        }
    }

    @Test("what is cut off of a mapped file reads as zeros, on every thread, and is noticed") func cut()
        async throws
    {
        let folder = try TemporaryFolder()
        let path = try Self.file(folder)
        let file = try SafetensorsFile(path: path)
        try Self.overwrite(path, [UInt8](repeating: 7, count: 10), cutting: true)
        try await withThrowingTaskGroup(of: Float.self) { group in
            for _ in 0..<4 { group.addTask { try file.tensor("w").values[40_000...].reduce(0, +) } }
            for try await sum in group { #expect(sum == 0) }
        }
        #expect { try file.reading.confirm() } throws: { ($0 as? EngineError)?.place == path }
    }

    @Test("of a file that is read as a whole, the digest is that of the bytes that came") func whole() throws
    {
        let folder = try TemporaryFolder()
        let path = folder.path("config.json")
        try AtomicFile.write("{\"a\": 1}", to: path)
        let (json, readings) = try OpenedFiles.during { try JSON.read(path: path) }
        try AtomicFile.write("{\"a\": 2}", to: path)
        #expect(json["a"]?.int == 1)
        #expect(try readings.map { try $0.digest() } == [Digest.sha256("{\"a\": 1}")])
    }

    @Test("stamps without parts of a second, with one time for all, or with none say nothing") func stamps()
        throws
    {
        let folder = try TemporaryFolder()
        let path = try Self.file(folder)
        #expect(FileStamp(path: path)?.size == (try FileSystem.readBytes(path).count))
        // Of this system's own change times nothing can be set; a file that was written and used since has
        // three times of a clock.
        let times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
        let stamp = try #require(FileStamp(path: path))
        #expect(stamp.modified == 1_000_000_000 && stamp.changed != stamp.modified)
        #expect(stamp.tells == (stamp.changed % 1_000_000_000 != 0))
        for device in ["/proc/version", "/proc/self/mountinfo"] where FileSystem.exists(device) {
            _ = FileStamp(path: device)
        }
    }

    @Test("a copy is another file, and that behind a link where there is one") func copies() throws {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path("blobs"))
        try FileSystem.createFolder(folder.path("snapshot"))
        try AtomicFile.write("weights", to: folder.path("blobs/x"))
        #expect(symlink("../blobs/x", folder.path("snapshot/w.safetensors")) == 0)
        try AtomicFolder.copyFiles(of: folder.path("snapshot"), to: folder.path("copy"))
        #expect(try FileSystem.readText(folder.path("copy/w.safetensors")) == "weights")
        let (a, b) = (
            FileStamp(path: folder.path("blobs/x")), FileStamp(path: folder.path("copy/w.safetensors"))
        )
        #expect(a?.inode != b?.inode)
        try Self.overwrite(folder.path("copy/w.safetensors"), Array("WEIGHTS".utf8))
        #expect(try FileSystem.readText(folder.path("blobs/x")) == "weights")
        #expect {
            try FileSystem.copy(folder.path("blobs/x"), to: folder.path("y"), expecting: b)
        } throws: { ($0 as? EngineError)?.message.contains("was changed") == true }
    }

    @Test(
        "a sealed folder tells each kind of damage",
        arguments: ["flip", "cut", "empty", "gone", "more", "seal", "none"]) func sealed(_ damage: String)
        throws
    {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path("m/unet"))
        try AtomicFile.write("{}", to: folder.path("m/config.json"))
        let path = try Self.file(folder)
        #expect(rename(path, folder.path("m/unet/w.safetensors")) == 0)
        try FolderSeal.write(folder.path("m"), of: "m", Signer.test())
        let inner = folder.path("m/unet/w.safetensors")
        var bytes = try FileSystem.readBytes(inner)
        switch damage {
        case "flip":
            bytes[bytes.count / 2] ^= 4
            try Self.overwrite(inner, bytes)
        case "cut": try Self.overwrite(inner, Array(bytes.prefix(bytes.count - 1)), cutting: true)
        case "empty": try Self.overwrite(inner, [], cutting: true)
        case "gone": try FileSystem.removeFile(folder.path("m/config.json"))
        case "more": try AtomicFile.write("{}", to: folder.path("m/unet/added_tokens.json"))
        case "seal": try FileSystem.removeFile(folder.path("m/.sha256"))
        default: break
        }
        let found = FolderSeal.damage(folder.path("m")) { try Digest.sha256(path: $0) }
        #expect((found == nil) == (damage == "none"), "\(found ?? "none")")
    }
}
