import Diffusion
import Files
import Interpreting
import Results
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

/// Whole pipelines written in the language against the reference's runs: same folder, same seeds, from noise
/// and from a picture.
@Suite("Pipelines in the language") struct PipelineTests {
    struct Run: Sendable, CustomTestStringConvertible {
        var name: String
        var json: JSON
        var testDescription: String { name }
    }

    /// Runs whose items have generators of their own, as here; the reference can also draw a whole batch from
    /// one.
    static let runs: [Run] = {
        let path = (try? Golden.topic("pipeline"))?.path("runs.json")
        let listed = path.flatMap { try? JSON.read(path: $0) }?["runs"]?.array ?? []
        return listed.compactMap { json in
            guard let name = json["name"]?.string, json["prompt"]?.string != nil || json["seed"]?.ints != nil
            else { return nil }
            return Run(name: name, json: json)
        }
    }()

    @Test("there are reference runs") func found() { #expect(!PipelineTests.runs.isEmpty) }

    static func session() throws -> (Session, modelFolder: String) {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "/"))
        return (session, try Golden.topic("models").path("pipeline"))
    }

    /// The table that a program's variable `out` holds after it.
    static func table(_ program: String, _ session: Session) throws -> Table {
        let result = session.run(SourceFile(name: "test", text: program))
        try #require(result.diagnostics.map { "\($0.code.rawValue): \($0.title)" } == [])
        guard case .table(let table) = session.globals["out"] else {
            throw EngineError(.data, "the program has no table `out`")
        }
        return table
    }

    @Test("pictures equal the reference's within one level, latents within its tolerance", arguments: runs)
    func run(_ run: Run) throws {
        let folder = try Golden.topic("pipeline")
        let (session, model) = try PipelineTests.session()
        let json = run.json
        let steps = try #require(json["steps"]?.int)
        let guidance = try #require(json["guidance"]?.double)
        let prompts = try #require(json["prompt"]?.strings ?? json["prompt"]?.string.map { [$0] })
        let seed = try #require(json["seed"]?.int ?? json["seed"]?.ints?.first)
        let kind = try #require(json["scheduler_class"]?.string.flatMap { SchedulerKind(className: $0) })
        let quoted = "[" + prompts.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        var program = "model = load \(model)\n"
        if let strength = json["strength"]?.double {
            // The reference truncates the same way.
            let k = Int(Double(steps) * strength)
            program += """
                start = read \(folder.path("init.png")) | with text=("\(prompts[0])") | encode image posterior=sample seed=\(seed)
                out = start | noise \(k) of=\(steps) seed=\(seed) start=diffusers scheduler=\(kind.rawValue) | denoise guidance=\(guidance) | decode
                """
        } else {
            let sides = [json["width"]?.int, json["height"]?.int].compactMap { $0 }.map(String.init)
            let size = sides.isEmpty ? "" : "size=" + sides.joined(separator: "x")
            program += """
                out = \(quoted) | noise of=\(steps) seed=\(seed) scheduler=\(kind.rawValue) \(size) | \
                denoise guidance=\(guidance) | decode
                """
        }
        let table = try PipelineTests.table(program, session)
        let calls = try #require(json["scheduler_calls"]?.int)
        #expect(
            table.column("calls")?.values.map(\.summary) == Array(repeating: "\(calls)", count: prompts.count)
        )
        let expected = try SafetensorsFile(path: folder.path(run.name + ".safetensors")).tensor("latents")
        let latents = try (table.column("latent")?.values ?? []).compactMap { try $0.elements() }
        let tolerance = try #require(json["outputs"]?["latents"]?["tol_abs"]?.double)
        expectClose(actual: .stacked(latents), expected: expected, absolute: tolerance, run.name)
        for (index, name) in try #require(json["png"]?.strings).enumerated() {
            guard case .picture(let picture) = table.column("generated")?.values[index] else {
                throw EngineError(.data, "no picture")
            }
            let reference = try PNG.read(path: folder.path(name))
            let worst =
                zip(try picture.bitmap().samples, reference.samples).map { abs(Int($0) - Int($1)) }.max()
                ?? 256
            #expect(worst <= 1)
        }
    }

    @Test("a row has the same bytes alone, in batches of 2, and all together") func batches() throws {
        let (session, model) = try PipelineTests.session()
        let program = """
            model = load \(model)\nout = ["a cat", "a dog", "a bird"] | noise of=3 seed=5 scheduler=euler_a \
            | denoise
            """
        func run(_ program: String, batch: Int) throws -> [[Float]] {
            session.settings.batch = batch
            return try PipelineTests.table(program, session).column("latent")?.values.compactMap {
                try $0.elements()?.values
            } ?? []
        }
        let together = try run(program, batch: 8)
        #expect(together.count == 3)
        #expect(try run(program, batch: 2) == together)
        #expect(try run(program, batch: 1) == together)
        #expect(try run(program + " | last", batch: 8).last == together.last)
        let alone = program.split(separator: "|").enumerated().map {
            $0 == 0 ? String($1) + "| last " : String($1)
        }.joined(separator: "|")
        #expect(try run(alone, batch: 8) == [together[2]])
    }

    @Test("a run taken in two parts equals one taken at once") func pause() throws {
        let (session, model) = try PipelineTests.session()
        let program = """
            model = load \(model)
            a = "a cat" | noise of=6 seed=5
            whole = a | denoise
            out = a | denoise steps=2 | denoise steps=1 | denoise
            """
        let parts = try PipelineTests.table(program, session)
        guard case .table(let whole) = session.globals["whole"] else { throw EngineError(.data, "no table") }
        #expect(
            try parts.column("latent")?.values[0].elements()?.values
                == whole.column("latent")?.values[0].elements()?.values)
        #expect(parts.value("calls", 0)?.summary == whole.value("calls", 0)?.summary)
    }

    @Test("a sampler written in the language equals the scheduler") func sampler() throws {
        let (session, model) = try PipelineTests.session()
        let out = try PipelineTests.table(
            """
            model = load \(model)
            x = ["a cat", "a dog"] | noise of=8 scheduler=ddim seed=3
            s = schedule ddim of=8
            g = 7.5
            mine = x | loop s {
              predict at=timestep | with eps=(eps.empty + g*(eps.text - eps.empty))
                | with clean=((latent - sqrt(1 - alpha_bar)*eps) / sqrt(alpha_bar))
                | with latent=(sqrt(alpha_bar_next)*clean + sqrt(1 - alpha_bar_next)*eps)
            } | decode
            ours = x | denoise guidance=g | decode
            out = mine | join ours on=item as=ours
            far = max(difference(out.generated, out.ours.generated))
            """, session)
        #expect(out.rowCount == 2)
        guard case .number(let far) = session.globals["far"] else { throw EngineError(.data, "no number") }
        #expect(far <= 1.0 / 255)
    }

    @Test("Ctrl-C keeps the rows that are finished and says where it stopped") func cancel() throws {
        let (session, model) = try PipelineTests.session()
        session.settings.batch = 1
        let stopper = Stopper(session.cancellation, after: 7)
        session.progress = stopper
        let result = session.run(
            SourceFile(
                name: "test",
                text: """
                    model = load \(model)\nout = ["a", "b", "c"] | noise of=4 scheduler=ddim seed=1 | \
                    denoise | decode\nlater = 1
                    """))
        #expect(result.ending == .interrupted)
        guard case .table(let table) = session.globals["out"] else { throw EngineError(.data, "no table") }
        // Seven steps: the first row's four, and three of the second's.
        #expect(table.rowCount == 1)
        #expect(table.partial?.message == "stopped at item 1 of 3; 1 of 3 kept")
        #expect(table.column("generated")?.kind == .image)
        #expect(session.globals["later"] == nil)
    }

    @Test(
        "latents of the report's mistakes are refused with the cure",
        arguments: [
            ("\"a\" | denoise", "E031"), ("\"a\" | noise 3 of=10", "E031"),
            ("\"a\" | noise of=2 | denoise | denoise", "E043"),
            ("\"a\" | noise of=2 | noise 30 of=10", "E026"),
            ("\"a\" | noise of=4 scheduler=pndm eta=0.5", "E054"),
            ("\"a\" | noise of=4 | with latent=(latent*2) | denoise", "E044"),
            ("\"a\" | noise of=4 size=97x96", "E026"), ("\"a\" | noise of=4 | decode | decode", "E032"),
        ]) func refused(_ pipeline: String, _ code: String) throws
    {
        let (session, model) = try PipelineTests.session()
        let result = session.run(SourceFile(name: "test", text: "model = load \(model)\n\(pipeline)"))
        #expect(result.diagnostics.map(\.code.rawValue) == [code], "\(result.diagnostics.map(\.title))")
    }

    @Test("a long prompt is a warning that shows what is cut off") func long() throws {
        let (session, model) = try PipelineTests.session()
        let words = Array(repeating: "dragon", count: 100).joined(separator: " ")
        let result = session.run(
            SourceFile(name: "test", text: "model = load \(model)\n\"\(words)\" | encode text"))
        #expect(result.ending == .finished)
        #expect(result.outputs.first?.warnings.count == 1)
    }

    @Test("a saved picture carries its recipe, and tensors come back from their file") func save() throws {
        let (session, model) = try PipelineTests.session()
        let folder = try TemporaryFolder()
        let out = try PipelineTests.table(
            """
            model = load \(model)
            out = ["a cat", "a dog"] | noise of=2 seed=1 | denoise | decode
            out | save \(folder.path("all"))
            file = read \(folder.path("all/latent.safetensors"))
            again = items latent=file.latent text="a cat", "a dog" | predict at=500
            far = max(difference(again.latent, out.latent))
            """, session)
        #expect(session.globals["far"]?.summary == "0")
        let text = try PNG.text(path: folder.path("all/generated-0001.png"))
        #expect(text.first?.value.contains("| noise of=2 seed=1") == true)
        let latent = try #require(try out.column("latent")?.values[0].elements())
        #expect(try PNG.read(path: folder.path("all/generated-0000.png")).width == 8 * latent.shape[2])
        #expect(FileSystem.isFile(folder.path("all/table.csv")))
    }
}

/// Presses Ctrl-C after so many steps of denoising.
final class Stopper: Interpreting.Progress {
    private let cancellation: Cancellation
    private var left: Int
    private var isDenoising = false

    init(_ cancellation: Cancellation, after steps: Int) {
        self.cancellation = cancellation
        left = steps
    }

    func begin(_ label: String, total: Int) { isDenoising = label == "denoise" }
    func advance(by units: Int) {
        guard isDenoising else { return }
        left -= units
        if left == 0 { cancellation.request() }
    }
    func end() { isDenoising = false }
    func note(_ message: String) {}
}
