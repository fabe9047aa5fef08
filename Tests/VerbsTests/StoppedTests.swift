import Files
import Interpreting
import Results
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

/// What Ctrl-C leaves: whole rows, marked as partial, and nothing computed on a part.
@Suite("A stopped table") struct StoppedTests {
    /// Presses Ctrl-C once work of this label has done so many units.
    final class Press: Interpreting.Progress {
        private let cancellation: Cancellation
        private let label: String
        private var left: Int
        private let times: Int
        private var labels: [String] = []

        init(_ session: Session, _ label: String, after units: Int, times: Int = 1) {
            (cancellation, self.label, left, self.times) = (session.cancellation, label, units, times)
            session.progress = self
        }

        func begin(_ label: String, total: Int) {
            labels.append(label)
            if label == self.label, left == 0 { advance(by: 0) }
        }
        func advance(by units: Int) {
            guard labels.last == label, left >= 0 else { return }
            left -= units
            if left <= 0 {
                left = -1
                for _ in 0..<times { cancellation.request() }
            }
        }
        func end() { _ = labels.popLast() }
        func note(_ message: String) {}
    }

    private func session() throws -> (Session, String) {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "/"))
        session.settings.batch = 1
        session.keepsLast = true
        return (session, try Golden.topic("models").path("pipeline"))
    }

    /// A program that is stopped, and lines that are run after it.
    private func stopped(
        _ label: String, after units: Int, times: Int = 1, _ program: String, then lines: String = ""
    ) throws -> (
        session: Session, result: ProgramResult, after: ProgramResult
    ) {
        let (session, model) = try session()
        _ = session.run(SourceFile(name: "model", text: "model = load \(model)"))
        _ = Press(session, label, after: units, times: times)
        let press = session.progress
        let result = session.run(SourceFile(name: "stopped", text: program))
        withExtendedLifetime(press) {}
        session.progress = NoProgress()
        session.cancellation.reset()
        return (session, result, session.run(SourceFile(name: "after", text: lines)))
    }

    private func table(_ name: String, _ session: Session) throws -> Table {
        guard case .table(let table)? = session.globals[name] else {
            throw EngineError(.data, "no table `\(name)`")
        }
        return table
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var label: String
        var units: Int
        var program: String
        var rows: Int
        var message: String
        var testDescription: String { program }
    }

    static let texts = "[\"a\", \"b\", \"c\"] | noise of=2 seed=1 scheduler=ddim"
    static let cases = [
        Case(
            label: "denoise", units: 3, program: "out = \(texts) | denoise", rows: 1,
            message: "stopped at item 1 of 3; 1 of 3 kept"),
        Case(
            label: "predict", units: 2, program: "out = \(texts) | predict", rows: 2,
            message: "stopped at item 2 of 3; 2 of 3 kept"),
        Case(
            label: "decode", units: 1, program: "out = sweep k=1,2 { \"a\" | noise of=k | denoise | decode }",
            rows: 1,
            message: "stopped at k=1; 1 of 2 kept"),
        Case(
            label: "denoise", units: 6,
            program: "out = sweep k=2,3 { [\"a\", \"b\"] | noise of=k scheduler=ddim | denoise | decode }",
            rows: 2,
            message: "stopped at k=3, item 0 of 2; 2 of 4 kept"),
        Case(
            label: "loop", units: 2, program: "out = \(texts) | loop (items n=1..4) { with m=(n) }", rows: 0,
            message: "stopped at turn 2 of 4; 0 of 3 kept"),
        Case(
            label: "predict", units: 4,
            program: "out = \(texts) | loop (items n=1..2) { predict | step eps.text }", rows: 1,
            message: "stopped at item 1 of 3; 1 of 3 kept"),
        Case(
            label: "denoise", units: 4,
            program: "out = items n=1..3 | each { \"a\" | noise of=2 scheduler=ddim | denoise }", rows: 2,
            message: "stopped at row 2 of 3; 2 kept"),
        Case(
            label: "denoise", units: 2, program: "out = \(texts) | denoise | decode | with text=(text)",
            rows: 1,
            message: "stopped at item 1 of 3; 1 of 3 kept"),
    ]

    @Test("every verb that works item by item keeps whole rows and says where it stopped", arguments: cases)
    func kept(_ sample: Case) throws {
        let (session, result, _) = try stopped(sample.label, after: sample.units, sample.program)
        #expect(result.diagnostics.map(\.title) == [])
        #expect(result.ending == .interrupted)
        #expect(result.stopped == sample.message + "; nothing is cached here, so the line begins anew")
        let out = try table("out", session)
        #expect(out.rowCount == sample.rows)
        #expect(out.partial?.message == sample.message)
        for column in out.columns { #expect(!column.values.contains { $0.isNone }, "\(column.name)") }
    }

    @Test("pictures that were decoded before the stop are kept, texts and pictures that were encoded too")
    func pictures() throws {
        let program = "made = [\"a\", \"b\", \"c\"] | noise of=1 | denoise"
        let (session, model) = try session()
        _ = session.run(SourceFile(name: "model", text: "model = load \(model); \(program)"))
        for verb in ["decode", "encode"] {
            let press = Press(session, verb, after: 1)
            let line =
                verb == "decode"
                ? """
                sizes = stack made (sweep k=1 { "d" | noise of=1 size=32x32 | denoise | select text \
                latent }) | decode
                """
                : "sizes | encode generated as=again"
            let result = session.run(SourceFile(name: "stopped", text: line))
            withExtendedLifetime(press) {}
            #expect(result.diagnostics.map(\.title) == [])
            #expect(result.ending == .interrupted)
            session.cancellation.reset()
        }
    }

    @Test("a second press gives the step up: the rows before it are kept") func abandoned() throws {
        let (session, result, _) = try stopped(
            "denoise", after: 3, times: 2, "out = \(StoppedTests.texts) | denoise | decode")
        #expect(result.ending == .interrupted)
        // The row that was denoised could not be decoded any more.
        #expect(try table("out", session).rowCount == 0)
    }

    /// Two of three points are finished, the third has one of its two rows.
    static let sweep =
        "out = sweep k=1,2,3 { [\"a\", \"b\"] | noise of=2 scheduler=ddim | denoise | with n=(k*10 + item) }"

    @Test("folds over what is not finished are missing, over finished points they are there") func folds()
        throws
    {
        let (session, _, after) = try stopped(
            "denoise", after: 10, StoppedTests.sweep,
            then: """
                g = out | group k mean=(mean(n))
                i = out | group item mean=(mean(n))
                all = mean(out.n)
                column = out.n
                largest = max(column)
                falls = falling(column)
                later = out | with share=(n / mean(out.n))
                both = stack out (items n=1) as=source | group source m=(max(n))
                other = items n=10 | join out on=n
                changed = out | with k=(k + 1) | group k m=(max(n))
                row = out[0]
                derived = items x=(row.n)
                """)
        #expect(after.diagnostics.map(\.title) == [])
        func column(_ name: String, _ of: String) throws -> [String] {
            try table(of, session).column(name)?.values.map(\.summary) ?? []
        }
        #expect(try column("mean", "g") == ["10.5", "20.5", Value.none.summary])
        #expect(try column("n", "g") == ["2", "2", Value.none.summary])
        // The second item lacks its third point.
        #expect(try column("mean", "i") == ["20", Value.none.summary])
        for name in ["all", "largest", "falls"] { #expect(session.globals[name]?.isNone == true, "\(name)") }
        #expect(try table("later", session).column("share")?.kind == ValueKind.none)
        #expect(try column("m", "both") == [Value.none.summary, "1"])
        // By a column that was changed nothing can be told.
        #expect(try table("changed", session).column("m")?.kind == ValueKind.none)
        for name in ["g", "later", "both", "other", "changed", "derived"] {
            #expect(try table(name, session).partial != nil, "\(name)")
        }
    }

    @Test("a claim about it is undecided, an expectation fails with E046") func verdicts() throws {
        let lines = "claim \"the mean is large\" (mean(out.n) > 1)\nclaim \"so is the first\" (out[0].n > 1)"
        let (_, _, claims) = try stopped("denoise", after: 10, StoppedTests.sweep, then: lines)
        #expect(claims.diagnostics.map(\.title) == [])
        #expect(claims.outputs.count == 2)
        for output in claims.outputs {
            guard case .view(.text(let text)) = output.value else { throw EngineError(.data, "no text") }
            #expect(text.hasPrefix("undecided"))
        }
        let (session, _, after) = try stopped(
            "denoise", after: 10, StoppedTests.sweep, then: "expect (mean(out.n) > 1)")
        #expect(after.diagnostics.map(\.code) == [.partialValue])
        #expect(after.ending == .unmet)
        // Finished by the same line, it holds.
        let again = session.run(
            SourceFile(name: "again", text: StoppedTests.sweep + "\nexpect (mean(out.n) > 1)"))
        #expect(again.ending == .finished)
    }

    @Test("to retrieve from it is refused, and saving it is warned of") func uses() throws {
        let folder = try TemporaryFolder()
        let (_, _, after) = try stopped(
            "denoise", after: 10, StoppedTests.sweep,
            then: "out | select n | save \(folder.path("out.csv"))\n\"a\" | retrieve out")
        #expect(after.diagnostics.map(\.code) == [.partialValue])
        #expect(after.outputs.flatMap(\.warnings).count == 1)
    }

    @Test(
        "a training that is stopped is an error that says so, and one on rows that are not finished is refused"
    ) func training() throws {
        let texts = "t = items text=\"a\",\"b\",\"c\""
        let part = try stopped(
            "denoise", after: 4, "\(texts)\nx = t | noise of=2 seed=1 | denoise",
            then: "new tokenizer size=520 | fit tokenizer on=x")
        #expect(part.after.diagnostics.map(\.code) == [.partialValue])
        let pictures = """
            p = dataset monsters split=train | first 4\nnew vae channels=8,16 layers=1 attention=no | fit \
            vae on=p batch=2 steps=50
            """
        let fit = try stopped("fit vae", after: 3, pictures)
        #expect(fit.result.ending == .interrupted)
        #expect(
            fit.result.diagnostics.map(\.title).joined().contains("stopped after step 3")
                || fit.result.stopped?.contains("stopped after step 3") == true)
    }

    @Test("scores of groups that are not finished are missing") func scores() throws {
        let session = Session(
            verbs: Verbs.registry, access: FileAccess(base: "/", readable: ["/"], writable: ["/"]))
        let program = """
            model = load \(ExampleTests.monsters)
            t = dataset monsters split=test | first 3
            """
        _ = session.run(SourceFile(name: "model", text: program))
        session.settings.batch = 1
        let press = Press(session, "denoise", after: 5)
        let result = session.run(
            SourceFile(
                name: "stopped",
                text: "s = sweep k=1,2 { t | noise of=1 | denoise | decode } | score clip n psnr by=k; u = 1")
        )
        withExtendedLifetime(press) {}
        #expect(result.ending == .interrupted)
        #expect(result.diagnostics.map(\.title) == [])
        let scores = try table("s", session)
        #expect(scores.rowCount == 2)
        for name in ["clip", "psnr", "n"] {
            let values = try #require(scores.column(name)).values
            #expect(!values[0].isNone && values[1].isNone, "\(name)")
        }
        #expect(session.globals["u"] == nil)
        session.cancellation.reset()
        // Stopped while it measures, it has no figure of a part.
        let measuring = Press(session, "CLIP", after: 0)
        let second = session.run(
            SourceFile(
                name: "stopped",
                text:
                    "train = dataset monsters split=train; m = t | score mmd_clip column=image against=train")
        )
        withExtendedLifetime(measuring) {}
        #expect(second.ending == .interrupted)
        let measured = try table("m", session)
        #expect(measured.column("mmd_clip")?.kind == ValueKind.none && measured.partial != nil)
    }
}
