import Interpreting
import Results
import SourceText
import TestSupport
import Testing
import Verbs

@Suite("bench and time") struct BenchTests {
    private func run(_ program: String) throws -> (Session, Table) {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "/"))
        return (
            session, try PipelineTests.table(program.replacing("MODEL", with: ExampleTests.monsters), session)
        )
    }

    private func number(_ table: Table, _ column: String) throws -> Double {
        guard case .number(let number)? = table.value(column, 0) else { throw EngineAbsent(column: column) }
        return number
    }

    private struct EngineAbsent: Error { var column: String }

    @Test("bench gives one row whose median lies between the smallest and the largest time") func bench()
        throws
    {
        let (_, table) = try run("out = bench 4 { items n=1..50 | with m=(n*n) }")
        #expect(table.columns.map(\.name) == ["seconds", "seconds_min", "seconds_max", "runs", "peak_mb"])
        #expect(table.rowCount == 1)
        let median = try number(table, "seconds")
        #expect(try number(table, "seconds_min") > 0)
        #expect(try number(table, "seconds_min") <= median)
        #expect(try median <= number(table, "seconds_max"))
        #expect(try number(table, "runs") == 4)
        #expect(try number(table, "peak_mb") > 1)
    }

    @Test("the block runs once more than it is timed, and `time` runs it once") func turns() throws {
        for (program, expected) in [
            ("bench 3 { sweep k=1 { items x=1 } }", 4), ("time { sweep k=1 { items x=1 } }", 1),
        ] {
            let session = Session(verbs: Verbs.registry, access: FileAccess(base: "/"))
            let counter = Counter()
            session.progress = counter
            #expect(session.run(SourceFile(name: "test", text: program)).diagnostics.isEmpty)
            #expect(counter.sweeps == expected)
        }
    }

    @Test("the cache is off inside the block and as it was after it, also after an error") func cache() throws
    {
        let seen = Seen()
        let probe = VerbDeclaration("probe", .control, "Notes.", input: .optional, examples: []) {
            invocation in
            seen.values.append(invocation.session.usesCache)
            return .number(1)
        }
        let session = Session(
            verbs: VerbRegistry(Verbs.registry.all + [probe]), access: FileAccess(base: "/"))
        _ = session.run(
            SourceFile(name: "test", text: "probe; bench 1 { probe }; probe; time { expect (1 > 2) }"))
        #expect(seen.values == [true, false, false, true])
        #expect(session.usesCache)
    }

    @Test("what flows in is `it` of every run, and pictures that come out are computed") func input() throws {
        let (session, table) = try run(
            """
            model = load MODEL
            start = "a cat" | noise of=2 seed=1
            out = start | bench 1 { denoise | decode }
            """)
        #expect(session.globals["start"] != nil)
        #expect(try number(table, "seconds") > 0)
    }

    @Test("a stop in the middle gives no time") func stopped() throws {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "/"))
        session.progress = StopsAtOnce(session.cancellation)
        let result = session.run(SourceFile(name: "test", text: "bench 5 { items x=1 }"))
        #expect(result.ending == .interrupted)
        #expect(result.diagnostics.map(\.code) == [.interrupted])
    }
}

/// Not shared between threads: a test's session runs on the test's own.
private final class Seen: @unchecked Sendable {
    var values: [Bool] = []
}

private final class Counter: Interpreting.Progress {
    var sweeps = 0
    func begin(_ label: String, total: Int) { if label == "sweep" { sweeps += 1 } }
    func advance(by units: Int) {}
    func end() {}
    func note(_ message: String) {}
}

private final class StopsAtOnce: Interpreting.Progress {
    private let cancellation: Cancellation
    init(_ cancellation: Cancellation) { self.cancellation = cancellation }
    func begin(_ label: String, total: Int) { cancellation.request() }
    func advance(by units: Int) {}
    func end() {}
    func note(_ message: String) {}
}
