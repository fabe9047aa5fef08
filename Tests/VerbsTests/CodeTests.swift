import Files
import Interpreting
import SourceText
import TestSupport
import Testing
import Verbs

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Every code of the registry has a case: a program under `Tests/Programs`, or a case here where damaged
/// files are needed.
@Suite("Every code has a case") struct CodeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var code: DiagnosticCode
        var program: String
        /// Files to write beside the program, by path.
        var files: [String: String] = [:]
        /// Files of the model in the folder `m` to replace, or nil for a whole model.
        var damage: [String: String] = [:]
        var testDescription: String { "\(code.rawValue): \(program)" }
    }

    private static let picture = "model = load ./m; \"a\" | noise of=2 | denoise | decode"

    static let cases = [
        Case(
            code: .otherModel,
            program: "model = load ./m; items text=\"a\" latent=(read three.safetensors).latent | decode"),
        Case(code: .engineFormat, program: "read broken.json", files: ["broken.json": "{\"a\": "]),
        Case(code: .engineFormat, program: "read broken.png", files: ["broken.png": "no picture"]),
        Case(
            code: .engineWeights, program: picture,
            damage: ["unet/diffusion_pytorch_model.safetensors": "vae/diffusion_pytorch_model.safetensors"]),
        Case(
            code: .engineConfiguration, program: picture, files: ["empty.json": "{}"],
            damage: ["unet/config.json": "../empty.json"]),
        Case(
            code: .engineUnsupported, program: "model = load ./m; \"a\" | noise of=2",
            files: ["other.json": "{\"_class_name\": \"FlowMatchScheduler\"}"],
            damage: ["scheduler/scheduler_config.json": "../other.json"]),
        Case(code: .engineShape, program: "model = load ./m; read odd.png | encode image"),
        Case(
            code: .engineSchedule, program: "model = load ./m; schedule ddim of=20",
            files: [
                "short.json": """
                {"_class_name": "DDIMScheduler", "num_train_timesteps": 10, "beta_start": 0.1, "beta_end": \
                0.2}
                """
            ],
            damage: ["scheduler/scheduler_config.json": "../short.json"]),
        Case(code: .engineMemory, program: "read huge.png"),
        Case(
            code: .engineText, program: "dataset zero | save out.png",
            files: ["zero/metadata.jsonl": "{\"file_name\": \"a.png\", \"text\": \"a\\u0000b\"}\n"]),
        Case(code: .engineData, program: "dataset monsters root=.", files: ["nothing.txt": ""]),
        Case(code: .notReadable, program: "read /etc/passwd.csv"),
        Case(code: .notWritable, program: "items a=1 | save /etc/noisebook.csv"),
    ]

    /// What has its test elsewhere: partial values (StoppedTests), numbers that are none
    /// (NumberFailureTests), a cell that should have failed and what a notebook's text warns of
    /// (NotebooksTests), weights that nothing uses (ModelFolderTests).
    static let elsewhere: Set<DiagnosticCode> = [
        .partialValue, .engineNumbers, .expectedFailure, .almostCell, .orphanOutput, .unusedWeights,
    ]

    /// A folder with the files of a case and a model `m` that shares what is not damaged with the one that
    /// ships.
    private func desk(_ sample: Case) throws -> TemporaryFolder {
        let desk = try TemporaryFolder()
        try Safetensors.write(
            ["latent": .init(shape: [1, 3, 8, 8], values: Array(repeating: 0, count: 192))],
            to: desk.path("three.safetensors"))
        try PNG.write(Bitmap(width: 7, height: 5, red: 9, green: 9, blue: 9), to: desk.path("odd.png"))
        try AtomicFile.write(CodeTests.huge, to: desk.path("huge.png"))
        for folder in sample.files.keys.compactMap({ name in
            name.firstIndex(of: "/").map { String(name[..<$0]) }
        }) {
            try FileSystem.createFolder(desk.path(folder))
            try PNG.write(
                Bitmap(width: 8, height: 8, red: 9, green: 9, blue: 9), to: desk.path(folder + "/a.png"))
        }
        for (name, text) in sample.files { try AtomicFile.write(text, to: desk.path(name)) }
        let shipped = ExampleTests.monsters
        for part in try FileSystem.list(shipped) {
            let source = FileSystem.join(shipped, part)
            guard FileSystem.isFolder(source) else {
                try FileSystem.createFolder(desk.path("m"))
                try #require(symlink(source, desk.path("m/" + part)) == 0)
                continue
            }
            try FileSystem.createFolder(desk.path("m/" + part))
            for name in try FileSystem.list(source) {
                let path = part + "/" + name
                let target = sample.damage[path].map {
                    $0.hasPrefix("../") ? desk.path(String($0.dropFirst(3))) : FileSystem.join(shipped, $0)
                }
                try #require(symlink(target ?? FileSystem.join(source, name), desk.path("m/" + path)) == 0)
            }
        }
        return desk
    }

    @Test("the case gives its code, with a place inside the program", arguments: cases) func run(
        _ sample: Case
    ) throws {
        let desk = try desk(sample)
        let session = Session(
            verbs: Verbs.registry,
            access: FileAccess(
                base: desk.path, readable: [desk.path, ExampleTests.monsters], writable: [desk.path]))
        let source = SourceFile(name: "case", text: sample.program)
        let diagnostics = session.run(source).diagnostics
        #expect(diagnostics.map(\.code) == [sample.code], "\(diagnostics.map(\.title))")
        for diagnostic in diagnostics { #expect(diagnostic.span.upper <= sample.program.utf8.count) }
    }

    /// The beginning of a picture of 900,000 pixels a side; the checksum of its header is right.
    private static let huge: [UInt8] = [
        0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0x0D, 0xBB,
        0xA0, 0, 0x0D, 0xBB, 0xA0, 8, 2, 0, 0, 0, 0x5F,
        0xDF, 0x06, 0xD8,
        0, 0, 0, 0, 0x49, 0x44, 0x41, 0x54, 0x35, 0xAF, 0x06, 0x1E, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE,
        0x42, 0x60, 0x82,
    ]

    @Test("a loop that is stopped has no value, and a code that says so") func interrupted() {
        final class Stopping: Progress {
            let cancellation: Cancellation
            init(_ cancellation: Cancellation) { self.cancellation = cancellation }
            func begin(_ label: String, total: Int) {}
            func advance(by units: Int) { cancellation.request() }
            func end() {}
            func note(_ message: String) {}
        }
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        session.progress = Stopping(session.cancellation)
        let result = session.run(SourceFile(name: "case", text: "1 | loop (items k=1..3) { it + k }"))
        #expect(result.diagnostics.map(\.code) == [.interrupted])
        #expect(result.ending == .interrupted)
    }

    @Test("a latent of another model is a warning") func otherModel() throws {
        let desk = try desk(Case(code: .latentOfOtherModel, program: ""))
        let session = Session(
            verbs: Verbs.registry,
            access: FileAccess(
                base: desk.path, readable: [desk.path, ExampleTests.monsters], writable: [desk.path]))
        let program =
            "model = load monsters; x = \"a\" | noise of=2; model = load ./m; x | denoise | select calls | table"
        let result = session.run(SourceFile(name: "case", text: program))
        #expect(
            result.outputs.flatMap(\.warnings) == ["latents made for another model go into ./m (`help W002`)"]
        )
    }

    @Test("no code is without a case") func complete() throws {
        var found = Set(CodeTests.cases.map(\.code) + [.interrupted, .latentOfOtherModel])
        for name in ProgramTests.programs {
            let text = try FileSystem.readText(FileSystem.join(ProgramTests.folder, name))
            for line in text.split(separator: "\n") where line.hasPrefix("# error ") {
                if let code = DiagnosticCode(typed: String(line.dropFirst(8).prefix(4))) {
                    found.insert(code)
                }
            }
            for line in text.split(separator: "\n") where line.hasPrefix("# expect: warning: ") {
                if let range = line.firstRange(of: "(`help "),
                    let code = DiagnosticCode(typed: String(line[range.upperBound...].prefix(4)))
                {
                    found.insert(code)
                }
            }
        }
        let missing = DiagnosticCode.allCases.filter {
            !found.contains($0) && !CodeTests.elsewhere.contains($0)
        }
        #expect(missing.map(\.rawValue) == [])
        #expect(
            found.intersection(CodeTests.elsewhere).map(\.rawValue) == [],
            "it has a case now: take it off the list")
    }
}
