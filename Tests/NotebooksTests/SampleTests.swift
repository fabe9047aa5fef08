import Caching
import Files
import Interpreting
import Notebooks
import Rendering
import Results
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

/// `verify --sample` and `--cached`: what can be told of a notebook without computing all of it.
@Suite("Verifying in part") struct SampleTests {
    private static func text(_ model: String) -> String {
        """
        ```noise model
        model = load \(model)
        words = "a cat", "a dog", "a bat"
        ```

        ```noise pictures
        p = sweep k=2,3 { words | noise of=k seed=4 | denoise guidance=3 | decode }
        p | select k text generated | table
        ```

        ```noise scores
        blank = "a cat" | noise of=2 | decode
        p | with flat=(blank[0].generated) | score psnr truth=flat by=k
        claim "more is better" (1 < 2)
        ```

        ```noise alone
        expect (length(p.k) == 6)
        "\\(length(p.k)) pictures"
        ```
        """
    }

    private struct Desk {
        let folder: TemporaryFolder
        var path: String { folder.path("n.md") }

        init() throws {
            folder = try TemporaryFolder()
            try AtomicFile.write(
                try SampleTests.text(Golden.topic("models").path("pipeline")), to: folder.path("n.md"))
            let file = try NotebookFile(path)
            let session = session(cached: true)
            let run = NotebookRunner(file.notebook, session: session, folder: file.folder) { $0.title }.run()
            try #require(run.diagnostics.map(\.title) == [])
            try file.write(run.outputs)
            try file.writeLock(session, written: run.outputs.keys, made: run.made)
        }

        func session(cached: Bool) -> Session {
            let session = Session(
                verbs: Verbs.registry, access: FileAccess(base: folder.path, readable: ["/"], writable: ["/"])
            )
            session.cache = cached ? ItemCache(folder: folder.path(".noisebook"), signer: Signer.test) : nil
            return session
        }

        func verify(_ method: Verification.Method) throws -> Verification {
            try Verification(NotebookFile(path), session: session(cached: method == .cached), method: method)
            { $0.title }
        }

        func replace(_ old: String, with new: String, in name: String) throws {
            let path = folder.path(name)
            let text = try FileSystem.readText(path)
            try #require(text.contains(old))
            try AtomicFile.write(text.replacing(old, with: new), to: path)
        }
    }

    private func states(_ verification: Verification) -> [String] {
        verification.cells.map { "\($0.cell.name) \($0.state.rawValue)" }
    }

    @Test("a sample holds so many pictures of each cell against the lock, and their scores")
    func sample() throws {
        let desk = try Desk()
        let found = try desk.verify(.sample(2, seed: 0))
        #expect(states(found) == ["model same", "pictures sampled", "scores sampled", "alone same"])
        #expect(found.cells[1].pictures == 2)
        #expect(found.cells[2].scores == 2)
        #expect(
            states(try desk.verify(.sample(100, seed: 0))) == [
                "model same", "pictures same", "scores sampled", "alone same",
            ])
    }

    @Test("only the rows of the sample are denoised, others with another seed")
    func rows() throws {
        let desk = try Desk()
        func computed(_ seed: Int) throws -> [Int] {
            let found = try desk.verify(.sample(1, seed: seed))
            return (found.run.made[1]?.pictures ?? []).enumerated().filter { $1.pixels != nil }.map(\.offset)
        }
        let each = try (0..<6).map(computed)
        #expect(each.allSatisfy { $0.count == 1 })
        #expect(Set(each).count > 1)
        #expect(try computed(3) == each[3])
    }

    @Test("a lock with another picture or another score differs")
    func changed() throws {
        let desk = try Desk()
        let made = try #require(try desk.verify(.sample(100, seed: 0)).run.made[1])
        let pixels = try #require(made.pictures[4].pixels)
        try desk.replace("\"pixels\":\"\(pixels)\"", with: "\"pixels\":\"0123456789abcdef\"", in: "n.lock")
        let found = try desk.verify(.sample(100, seed: 0))
        #expect(found.cells[1].state == .differs)
        #expect(found.cells[1].differences.count == 1)
        #expect(found.differs)
        try desk.replace("\"psnr\",\"values\":[", with: "\"psnr\",\"values\":[1", in: "n.lock")
        #expect(try desk.verify(.sample(100, seed: 0)).cells[2].state == .differs)
    }

    @Test("what the cache has is compared as a whole, and what it lacks is said")
    func cached() throws {
        let desk = try Desk()
        #expect(
            states(try desk.verify(.cached)) == ["model same", "pictures same", "scores same", "alone same"])
        try desk.replace("6 pictures", with: "7 pictures", in: "n.md")
        #expect(try desk.verify(.cached).cells[3].state == .differs)
        try desk.replace("7 pictures", with: "6 pictures", in: "n.md")
        try desk.replace("seed=4", with: "seed=5", in: "n.md")
        let other = states(try desk.verify(.cached))
        // `blank` does not depend on the seed, so the cache still has it.
        #expect(other == ["model same", "pictures not recomputed", "scores sampled", "alone same"])
    }

    @Test("without a lock there is nothing to hold a sample against") func withoutLock() throws {
        let desk = try Desk()
        try FileSystem.removeFile(desk.folder.path("n.lock"))
        #expect(throws: EngineError.self) { try desk.verify(.sample(1, seed: 0)) }
    }

    @Test("a cell without a label that got another number is held against its own pictures") func moved()
        throws
    {
        let desk = try Desk()
        let text = try FileSystem.readText(desk.path).replacing("noise pictures", with: "noise").replacing(
            "noise scores", with: "noise")
        try AtomicFile.write(text, to: desk.path)
        let file = try NotebookFile(desk.path), session = desk.session(cached: true)
        let run = NotebookRunner(file.notebook, session: session, folder: file.folder) { $0.title }.run()
        try file.writeLock(session, written: run.outputs.keys, made: run.made)
        try AtomicFile.write("```noise\n1 + 1\n```\n\n" + text, to: desk.path)
        let found = try desk.verify(.sample(100, seed: 0))
        #expect(states(found).dropFirst() == ["model same", "3 same", "4 sampled", "alone same"])
        #expect(try desk.verify(.sample(1, seed: 0)).cells[2].pictures == 1)
    }

    @Test("what was accepted can be sampled")
    func accepted() throws {
        let desk = try Desk()
        try desk.replace("seed=4", with: "seed=5", in: "n.md")
        let full = try desk.verify(.full)
        #expect(full.differs)
        try full.writeCorrection()
        try Verification.accept(desk.path)
        #expect(
            states(try desk.verify(.sample(100, seed: 0))) == [
                "model same", "pictures same", "scores sampled", "alone same",
            ])
        #expect(!FileSystem.exists(desk.path + ".corrected.json"))
    }

    @Test("a cell of which some items are cached is partial, and says how many") func partial() throws {
        let desk = try Desk()
        try desk.replace("k=2,3", with: "k=2,3,4", in: "n.md")
        let file = try NotebookFile(desk.path), session = desk.session(cached: true)
        let status = try NotebookStatus(
            file, session: session, files: FileDigests(path: desk.folder.path("digests")),
            lock: Lock(notebook: desk.path))
        #expect(status.cells.map(\.state) == [.fresh, .partial, .stale, .stale])
        #expect(status.cells[1].reason?.contains("6 of 9 of `denoise` are cached") == true)
    }

    @Test("a plan of a notebook goes on behind a cell that cannot be told")
    func gaps() throws {
        let folder = try TemporaryFolder()
        let model = try Golden.topic("models").path("pipeline")
        let text = """
            ```noise made
            model = load \(model)
            p = "a cat" | noise of=2 | denoise | decode
            best = p | with s=(max(generated)) | where (s >= 0) | first 1
            x = best[0].text
            ```

            ```noise reads
            x
            ```

            ```noise other
            "a dog" | noise of=2 | denoise | decode
            ```
            """
        let notebook = try Notebook(name: "n.md", bytes: Array(text.utf8))
        let session = Session(
            verbs: Verbs.registry, access: FileAccess(base: folder.path, readable: ["/"], writable: ["/"]))
        let plan = NotebookPlan(notebook, session: session)
        #expect(plan.cells.map { $0.gap != nil } == [true, true, false])
        #expect(plan.cells[1].gap == "it reads `x`, which cell made makes")
        #expect(plan.total.counts["denoise"] == CacheCounts.Count(cached: 0, computed: 2))
    }
}
