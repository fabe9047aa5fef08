import Caching
import Foundation
import Interpreting
import Results
import SourceText
import TestSupport
import Testing
import Verbs

/// A plan tells what the run then does, and computes nothing.
@Suite("A plan") struct PlanTests {
    private static let sweep =
        "out = sweep k=2,3 { [\"a cat\", \"a dog\"] | noise of=k seed=4 | denoise guidance=3 | decode }"

    private func plan(_ program: String, _ session: Session) throws -> (plan: WorkPlan, result: ProgramResult)
    {
        let model = try Golden.topic("models").path("pipeline")
        return session.copy().plan(SourceFile(name: "test", text: "model = load \(model)\n" + program))
    }

    /// What both count.
    private static let verbs = ["encode", "denoise", "decode", "predict"]

    @Test(
        "it counts what the run then computes and finds, before and after",
        arguments: CacheTests.pipelines + [sweep])
    func counts(_ program: String) throws {
        let folder = try TemporaryFolder()
        for _ in 0..<2 {
            let planned = try plan(program, CacheTests.session(folder))
            #expect(planned.result.ending == .finished)
            let (_, result) = try CacheTests.run(program, CacheTests.session(folder))
            for verb in Self.verbs { #expect(planned.plan.counts[verb] == result.counts[verb], "\(verb)") }
        }
    }

    @Test("a longer sweep computes only its new points, and more items only themselves")
    func extended() throws {
        let folder = try TemporaryFolder()
        func program(_ ks: String, _ texts: String) -> String {
            "out = sweep k=\(ks) { [\(texts)] | noise of=k seed=4 | denoise guidance=3 | decode }"
        }
        let two = "\"a cat\", \"a dog\""
        _ = try CacheTests.run(program("2,3", two), CacheTests.session(folder))
        for (ks, texts, cached, computed) in [
            ("2,3,4", two, 4, 2), ("2,3", two + ", \"a bat\"", 4, 2), ("3,2", two, 4, 0),
        ] {
            let count = try plan(program(ks, texts), CacheTests.session(folder)).plan.counts["denoise"]
            #expect(count == CacheCounts.Count(cached: cached, computed: computed))
        }
        let (_, result) = try CacheTests.run(program("2,3,4", two), CacheTests.session(folder))
        #expect(result.counts["denoise"] == CacheCounts.Count(cached: 4, computed: 2))
    }

    @Test("nothing is kept of a plan, and variables stay as they are")
    func leavesNothing() throws {
        let folder = try TemporaryFolder()
        let session = CacheTests.session(folder)
        _ = try CacheTests.run(Self.sweep, session)
        guard case .table(let before) = session.globals["out"] else { throw EmptyResult() }
        let bytes = try session.cache?.byteCount()
        _ = try plan(Self.sweep.replacing("seed=4", with: "seed=5"), session)
        guard case .table(let after) = session.globals["out"] else { throw EmptyResult() }
        #expect(try CacheTests.Outcome(before) == CacheTests.Outcome(after))
        #expect(try session.cache?.byteCount() == bytes)
        #expect(session.standIns == nil)
    }

    private struct EmptyResult: Error {}

    @Test("times come from what was timed here, and work of a kind that never ran has none")
    func times() throws {
        let folder = try TemporaryFolder()
        let session = CacheTests.session(folder)
        let first = try plan(Self.sweep, session).plan
        #expect(first.time(session.cache?.log) == "time not known: nothing like it has run here")
        _ = try CacheTests.run(Self.sweep, session)
        let second = try plan(Self.sweep.replacing("seed=4", with: "seed=5"), session).plan
        let log = RunLog(path: folder.path("log"))
        #expect(try #require(second.estimate(log)).isWhole)
        #expect(try plan(Self.sweep, session).plan.time(log) == nil)
    }

    @Test("a damaged log costs estimates, nothing else")
    func damagedLog() throws {
        let folder = try TemporaryFolder()
        try "{\"time\":1,\"pro".write(toFile: folder.path("log"), atomically: true, encoding: .utf8)
        let log = RunLog(path: folder.path("log"))
        #expect(log.secondsPerUnit(WorkKind("unet", parameters: 1, shape: [4, 8, 8])) == nil)
    }

    @Test("scores, claims and expectations are not computed, and nothing is written")
    func effects() throws {
        let folder = try TemporaryFolder()
        let program = """
            out = ["a cat", "a dog"] | noise of=2 | denoise | decode
            out | save x.csv
            expect (length(out) == 3) "never asked"
            s = out | score psnr truth=generated
            s | table
            """
        let (plan, result) = try plan(program, CacheTests.session(folder))
        #expect(result.ending == .finished)
        #expect(plan.counts["score"].computed == 1)
        #expect(result.diagnostics.isEmpty)
    }
}
