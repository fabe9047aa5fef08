import Files
import Foundation
import TestSupport
import Testing

/// The program as a process that others kill, interrupt, run twice or leave without room. One at a time: each looks at the clock.
@Suite("The program as a process", .serialized)
struct ProcessTests {
    /// A notebook in a folder of its own, with a cache there.
    private struct Desk {
        let folder: TemporaryFolder
        var path: String { folder.path("n.md") }

        init(steps: Int = 5) throws {
            folder = try TemporaryFolder()
            let text = """
                # A sweep

                ```noise model
                model = load monsters
                ```

                ```noise pictures
                p = sweep k=\(steps),\(steps + 1) { ["a red dragon", "a blue worm", "a bat"] | noise of=k seed=1 | denoise guidance=3 | decode }
                p | select k text calls generated | table
                ```
                """
            try AtomicFile.write(text, to: folder.path("n.md"))
        }

        func start(_ arguments: [String] = ["--write"], output: String = "told") throws -> ChildProcess {
            try ChildProcess(Executable.path, ["run", path, "--threads", "1", "--batch", "2"] + arguments, output: folder.path(output))
        }

        @discardableResult func run(_ arguments: [String] = ["--write"]) throws -> (status: Int32?, told: String) { try start(arguments).wait() }

        /// Text, lock and pictures, by name.
        func results() throws -> [String: [UInt8]] {
            var files = ["n.md": try FileSystem.readBytes(path), "n.lock": try FileSystem.readBytes(folder.path("n.lock"))]
            for name in try FileSystem.list(folder.path("n.out")) { files[name] = try FileSystem.readBytes(folder.path("n.out/" + name)) }
            return files
        }

        func forgetCache() throws { try AtomicFolder.remove(folder.path(".noisebook")) }
    }

    @Test("killed at fifty moments and run again it ends with the bytes of a run that nobody disturbed") func killed() throws {
        let plain = try Desk(), desk = try Desk()
        let began = ContinuousClock.now
        try #require(plain.run().status == 0)
        let whole = (ContinuousClock.now - began) / .seconds(1)
        let expected = try plain.results()
        var generator = SmallGenerator(seed: 7)
        var ended = 0
        for _ in 0..<50 {
            let process = try desk.start()
            // Up to the time that all of it takes: while it starts, computes, stores and writes.
            Thread.sleep(forTimeInterval: whole * Double(generator.next() % 1_000) / 1_000)
            process.signal(SIGKILL)
            if let status = try process.wait().status {
                #expect(status == 0)
                #expect(try desk.results() == expected)
                ended += 1
                try desk.forgetCache()
            }
        }
        #expect(ended < 50)
        let last = try desk.run()
        #expect(last.status == 0)
        #expect(try desk.results() == expected)
        // What is damaged would be computed again: nothing is, so all that the kills left is whole.
        let again = try desk.run()
        #expect(again.told.contains("cached") && !again.told.contains("computed 6"))
        #expect(try desk.results() == expected)
    }

    @Test("two processes over one cache disturb neither") func two() throws {
        let plain = try Desk(), desk = try Desk()
        let expected = try plain.run([])
        let both = try (0..<2).map { try desk.start([], output: "told-\($0)") }.map { try $0.wait() }
        #expect(both.allSatisfy { $0.status == 0 })
        func tables(_ text: String) -> String {
            text.split(separator: "\n").filter { !$0.hasPrefix("cached") && !$0.contains(": cached") }.joined(separator: "\n")
        }
        #expect(both.allSatisfy { tables($0.told) == tables(expected.told) })
        #expect(try desk.run([]).told.contains("cached 6, computed 0"))
    }

    @Test("SIGINT without a terminal keeps what is finished: status 3, and the same command goes on") func interrupted() throws {
        let plain = try Desk(steps: 30), desk = try Desk(steps: 30)
        try #require(plain.run().status == 0)
        let before = try FileSystem.readBytes(desk.path)
        let process = try desk.start()
        // Texts are encoded first; entries of latents come once denoising is under way.
        for _ in 0..<2_000
        where try !FileSystem.isFolder(desk.folder.path(".noisebook/cache")) || FileSystem.list(desk.folder.path(".noisebook/cache")).count < 5 {
            Thread.sleep(forTimeInterval: 0.005)
        }
        process.signal(SIGINT)
        let ended = try process.wait()
        #expect(ended.status == 3)
        #expect(ended.told.contains("the same line goes on"))
        let left = try NotebookText(desk.path)
        #expect(left.hasOutput == false || left.bytes == before)
        #expect(try desk.run().status == 0)
        #expect(try desk.results() == plain.results())
    }

    private struct NotebookText {
        let bytes: [UInt8]
        let hasOutput: Bool

        init(_ path: String) throws {
            bytes = try FileSystem.readBytes(path)
            hasOutput = String(decoding: bytes, as: UTF8.self).contains("| calls |")
        }
    }

    // MARK: No room

    /// Whether this user may mount a file system of their own.
    private static let canMount: Bool = {
        let process = try? ChildProcess("/bin/sh", ["-c", "unshare --mount sh -c 'mount -t tmpfs -o size=64k tmpfs /mnt'"], output: "/dev/null")
        return (try? process?.wait().status) == 0
    }()

    private func shell(_ command: String, _ desk: Desk) throws -> String {
        try ChildProcess("/bin/sh", ["-c", command], output: desk.folder.path("told")).wait().told
    }

    @Test("on a full disk the error names the file, and the notebook with its earlier results stays as it was", .enabled(if: canMount)) func full() throws {
        let desk = try Desk()
        try #require(desk.run().status == 0)
        let small = desk.folder.path("small")
        try FileSystem.createFolder(small)
        // The notebook with its results fits, and a page more; other results do not.
        let told = try shell(
            """
            unshare --mount sh -c '
            mount -t tmpfs -o size=128k tmpfs \(small) && cp -r \(desk.path) \(desk.folder.path("n.lock")) \(desk.folder.path("n.out")) \(small) && cd \(small) || exit 99
            sed -i s/seed=1/seed=2/ n.md && cp n.md before.md
            dd if=/dev/zero of=rest bs=1k count=500 2> /dev/null
            \(Executable.path) run n.md --write --threads 1; echo status $?
            cmp n.md before.md && echo same; ls -A'
            """, desk)
        #expect(told.contains("status 2"))
        #expect(told.contains("No space left on device"))
        #expect(told.contains("n.out") || told.contains("n.md"))
        #expect(told.contains("same"))
        #expect(!told.contains(".partial"))
    }

    @Test("where no file may grow beyond a limit, the results come all the same and the cache says why it keeps nothing") func limited() throws {
        let desk = try Desk()
        let told = try shell("ulimit -f 1; \(Executable.path) run \(desk.path) --threads 1; echo status $?", desk)
        #expect(told.contains("status 0"))
        #expect(told.contains("results are not kept in the cache"))
        #expect(told.contains("File too large"))
    }
}
