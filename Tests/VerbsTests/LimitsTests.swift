import Files
import Interpreting
import Results
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

/// What a short program can ask for without end: depth, length, memory, the check's time. Each ends in a
/// result or in an error that says what.
@Suite("Programs that ask for too much") struct LimitsTests {
    private func session() -> Session { Session(verbs: Verbs.registry, access: FileAccess(base: "/")) }

    /// The codes of a run's errors, none where it went to its end.
    private func codes(_ program: String, _ session: Session? = nil) -> [DiagnosticCode] {
        (session ?? self.session()).run(SourceFile(name: "test", text: program)).diagnostics.map(\.code)
    }

    // MARK: Chains

    @Test("a loop of 60,000 turns makes a chain of so many recipes, which is shown and let go of")
    func longChain() throws {
        let session = session()
        #expect(
            codes("x = items x=1 | loop (items k=1..60000) { with x=(x+1) }\nx | table\nwhy x", session) == []
        )
        guard case .table(let table) = session.globals["x"], case .number(let sum)? = table.value("x", 0)
        else { throw EngineError(.data, "no table") }
        #expect(sum == 60_001)
        let lines = try #require(table.recipes.first).lines
        #expect(
            lines.count <= 2_001 && lines.first?.contains("59001 verbs before are left out") == true
                && lines.last?.contains("with x=(x+1)") == true)
        session.globals.removeAll()
    }

    @Test("joined with itself in a loop, a table's recipe does not double in what is written of it")
    func branchingChain() throws {
        let session = session()
        #expect(
            codes(
                """
                x = items x=1 | loop (items k=1..300) { a = it | select x; a | join it on=item as=o | select x \
                }\nwhy x
                """, session) == [])
        guard case .table(let table) = session.globals["x"] else { throw EngineError(.data, "no table") }
        #expect(try #require(table.recipes.first).lines.count <= 2_001)
    }

    @Test("what goes one level deeper with each turn or line is an error before it is too deep for recursion")
    func nesting() {
        #expect(codes("x = 1 | loop (items k=1..60000) { [it] }") == [.nestingTooDeep])
        #expect(codes("x = 1 | loop (items k=1..60000) { {a: it} }") == [.nestingTooDeep])
        #expect(codes("x = items y=1 | loop (items k=1..60000) { items y=[it] }") == [.nestingTooDeep])
        #expect(codes("x = 1 | loop (items k=1..500) { [it] }\nlength(x)") == [])
        #expect(codes("x = 1\n" + String(repeating: "x = [x]\n", count: 20_000)) == [.nestingTooDeep])
    }

    @Test("a list that holds itself twice at each turn ends, shown or not") func doubling() {
        #expect(codes("x = [1, 2] | loop (items k=1..60) { [it, it] }") == [.engineMemory])
        #expect(codes("x = [1, 2] | loop (items k=1..18) { [it, it] }\nx") == [])
    }

    // MARK: The check

    @Test("the check computes no text that doubles line by line; the run ends in an error")
    func doublingText() {
        let program = "t = \"a\"\n" + String(repeating: "t = \"\\(t)\\(t)\"\n", count: 60)
        #expect(session().check(SourceFile(name: "test", text: program)).map(\.code) == [])
        #expect(codes(program) == [.engineMemory])
    }

    @Test(
        "constants beyond the budget are unknown to the check, and what stands before them is still checked")
    func constants() {
        let many = (0..<400).map { "a\($0) = sum([1..100000, 1..100000])" }.joined(separator: "\n")
        #expect(
            session().check(SourceFile(name: "test", text: "b = 1 + \"a\"\n" + many)).map(\.code) == [
                .wrongOperands
            ])
        let lists =
            "t = [1, 2]\n" + String(repeating: "t = [t, t]\n", count: 60)
            + "u = t + 1\nparam p = 1..100000 in 1..100000:1\n"
        #expect(session().check(SourceFile(name: "test", text: lists)).map(\.code) == [])
    }

    @Test("20,000 columns are a program like another") func manyColumns() {
        let columns = (0..<20_000).map { "c\($0)=\($0)" }.joined(separator: " ")
        let session = session()
        #expect(codes("x = items \(columns) | with z=(c7 + c19999)\nx.z", session) == [])
        #expect(codes("x = items \(columns) c7=1") == [.repeatedName])
    }

    // MARK: Memory

    private func refused(_ program: String, leaving bytes: Int, _ session: Session? = nil) throws
        -> Diagnostic
    {
        let result = MemoryBudget.$left.withValue(bytes) {
            (session ?? self.session()).run(SourceFile(name: "test", text: program))
        }
        let first = try #require(result.diagnostics.first, "nothing was refused: \(program)")
        #expect(first.code == .engineMemory, "\(first.title)")
        return first
    }

    @Test("tables are reckoned before they are made") func tables() throws {
        let left = 800 << 20
        let join = try refused(
            "a = items k=1..3000 | with x=1\nb = items k=1..3000 | with x=1\na | join b on=x as=b",
            leaving: left)
        #expect(
            join.title.contains("9000000 rows") && join.title.contains("would take")
                && join.title.contains("838.9 MB of memory are free"))
        #expect(!join.help.isEmpty)
        _ = try refused("a = items k=1..100000 | with x=1\na | join a on=x as=b", leaving: left)
        _ = try refused("x = items k=1..10 | loop (items t=1..40) { stack it it }", leaving: left)
        _ = try refused("a = items k=1..100000\nx = sweep t=1..1000 { a }", leaving: 1 << 20)
        _ = try refused("x = items k=1..100000 | each { with z=(k) }", leaving: 1 << 10)
        _ = try refused(
            "x = items k=1..100000 | with t=\"\(String(repeating: "long ", count: 100))\\(k)\"",
            leaving: 20 << 20)
        // What fits is done.
        let result = MemoryBudget.$left.withValue(left) {
            session().run(
                SourceFile(
                    name: "test",
                    text:
                        "a = items k=1..300 | with x=1\nb = a | join a on=x as=b\nexpect (length(b) == 90000)"
                ))
        }
        #expect(result.diagnostics.map(\.title) == [])
    }

    @Test("latents, pictures and networks are reckoned before anything is computed") func networks() throws {
        let load = "model = load \(try Golden.topic("models").path("pipeline"))\n"
        let noise = try refused(
            load + "items n=1..20000 | with text=\"a\" | noise of=2 size=512x512", leaving: 900 << 20)
        #expect(noise.title.contains("20000 latents of 4 x 64 x 64"))
        _ = try refused(load + "\"a\" | noise of=2 size=4096x4096 | decode", leaving: 200 << 20)
        _ = try refused(load + "\"a\" | noise of=2 size=8192x8192 | denoise", leaving: 100 << 20)
        _ = try refused(load + "\"a\" | noise of=2 size=8192x8192 | predict", leaving: 100 << 20)
        _ = try refused(load + "\"a\" | noise of=2 | denoise", leaving: 1 << 10)
        _ = try refused("new unet channels=1280,1280,1280 context=512", leaving: 100 << 20)
    }

    @Test(
        """
        a batch that does not fit is made smaller where nobody said how large it is, and the latents are the \
        same
        """) func batches() throws
    {
        func latents(_ left: Int?) throws -> [[Float]] {
            let session = session()
            let program =
                """
                model = load \(try Golden.topic("models").path("pipeline"))\nx = items \
                text="a","b","c","d" | noise of=2 seed=1 | denoise guidance=2
                """
            let result = MemoryBudget.$left.withValue(left) {
                session.run(SourceFile(name: "test", text: program))
            }
            try #require(result.diagnostics.map(\.title) == [])
            guard case .table(let table) = session.globals["x"] else { throw EngineError(.data, "no table") }
            return table.column("latent")?.values.compactMap {
                if case .latent(let latent) = $0 { latent.tensor.values } else { nil }
            } ?? []
        }
        let whole = try latents(nil)
        #expect(whole.count == 4)
        // One prediction holds 49 KB at least, four times two more than is left; the weights take 420 KB.
        #expect(try latents(600 << 10) == whole)
    }

    @Test("what is free is between nothing and what there is") func available() {
        #expect(MemoryBudget.available > 0)
        #expect(MemoryBudget.text(1_250_000_000) == "1.3 GB" && MemoryBudget.text(640_000_000) == "640.0 MB")
        #expect(MemoryBudget.product([1 << 40, 1 << 40]) == .max && MemoryBudget.sum(.max, 1) == .max)
        #expect(throws: EngineError.self) { try MemoryBudget.check(.max, for: "everything") }
    }
}
