import Caching
import Files
import Interpreting
import Notebooks
import SourceText
import TestSupport
import Testing
import Verbs

/// A notebook that is stopped at any step and run again is the notebook of a run that was not.
@Suite("An interrupted notebook") struct InterruptionTests {
    /// Presses Ctrl-C after so many units of any work.
    private final class Stopper: Interpreting.Progress {
        private let cancellation: Cancellation
        private var left: Int
        private(set) var units = 0

        init(_ cancellation: Cancellation, after units: Int) {
            (self.cancellation, left) = (cancellation, units)
        }

        func begin(_ label: String, total: Int) {}
        func advance(by units: Int) {
            self.units += units
            left -= units
            if left <= 0, left + units > 0 { cancellation.request() }
        }
        func end() {}
        func note(_ message: String) {}
    }

    private static func text() throws -> String {
        let model = try Golden.topic("models").path("pipeline")
        // Ancestral sampling draws in every step, so a generator that was not restored would show.
        return """
            ```noise model
            model = load \(model)
            ```

            ```noise sweep
            p = sweep k=2,3 { ["a cat", "a dog"] | noise of=k scheduler=euler_a seed=4 | denoise guidance=3 | decode }
            p | select k text calls generated | table
            ```

            ```noise scores
            p | with flat=(p[0].generated) | score psnr nearest_pixel truth=flat against=(p | select generated | with flat=(generated)) by=k
            ```
            """
    }

    /// Runs with `--write`; gives the units of work that were done.
    @discardableResult private func run(
        _ folder: TemporaryFolder, batch: Int = 1, stoppingAfter units: Int = .max
    ) throws -> (ProgramResult.Ending, Int) {
        let file = try NotebookFile(folder.path("n.md"))
        let session = Session(
            verbs: Verbs.registry, access: FileAccess(base: folder.path, readable: ["/"], writable: ["/"]))
        session.cache = ItemCache(folder: folder.path(".noisebook"), signer: Signer.test)
        session.settings.batch = batch
        let stopper = Stopper(session.cancellation, after: units)
        session.progress = stopper
        let run = NotebookRunner(file.notebook, session: session, folder: file.folder) { $0.title }.run()
        try #require(run.diagnostics.map(\.title) == [])
        try file.write(run.outputs)
        try file.writeLock(session, written: run.outputs.keys, made: run.made)
        return (run.ending, stopper.units)
    }

    private func results(_ folder: TemporaryFolder) throws -> [String: [UInt8]] {
        var files = [
            "n.md": try FileSystem.readBytes(folder.path("n.md")),
            "n.lock": try FileSystem.readBytes(folder.path("n.lock")),
        ]
        for name in try FileSystem.list(folder.path("n.out")) {
            files[name] = try FileSystem.readBytes(folder.path("n.out/" + name))
        }
        return files
    }

    private func desk() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try AtomicFile.write(try Self.text(), to: folder.path("n.md"))
        return folder
    }

    @Test("at every step: the same tables, pictures and lock") func everyStep() throws {
        let plain = try desk()
        let (ending, total) = try run(plain)
        #expect(ending == .finished)
        // Two items of two and of three steps, four pictures, and what encodes texts and measures.
        #expect(total >= 14)
        let expected = try results(plain)
        try #require(expected.keys.count { $0.hasSuffix(".png") } == 4)
        for step in 1..<total {
            let folder = try desk()
            #expect(try run(folder, stoppingAfter: step).0 == .interrupted, "step \(step)")
            // Another batch goes on with rows at different places.
            #expect(try run(folder, batch: 2).0 == .finished)
            #expect(try results(folder) == expected, "step \(step)")
        }
    }
}
