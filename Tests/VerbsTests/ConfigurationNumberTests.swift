import Files
import Interpreting
import Models
import Results
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

/// Every number of every JSON file of a model folder, found by walking the files, takes values that no
/// network has: the folder either opens, and can then be used, or is refused with an error. What traps ends
/// the test's process; what hangs or takes all memory shows as well.
@Suite("Numbers of a model's configuration") struct ConfigurationNumberTests {
    /// As they are written into the file, in a number's place.
    static let replacements: [String] = {
        let numbers = ["-1", "0", "1", "2147483648", "9007199254740992", "9223372036854775807", "1e308"]
        let lists =
            numbers.map { "[\($0)]" } + numbers.map { "[\($0), \($0)]" } + [
                "[-8, 8]", "[1099511627776, 4]", "[]", "[1, 2, 3]", "[8.5, 8]", "[[4, 4]]",
            ]
        return numbers + lists + [
            "0.5", "1e-320", "\"NaN\"", "NaN", "-Infinity", "1e999", "{}", "{\"height\": -1}", "null", "true",
            "\"text\"",
        ]
    }()

    static let names = [
        "model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json",
        "scheduler/scheduler_config.json",
        "tokenizer/tokenizer_config.json", "tokenizer/special_tokens_map.json", "tokenizer/added_tokens.json",
        "tokenizer/vocab.json", "clip/config.json",
        "clip/preprocessor_config.json", "clip/model.safetensors.index.json",
    ]

    /// The file's texts with one number, or null, replaced in each; of long lists and objects the first, a
    /// middle and the last.
    static func variants(of json: JSON) -> [(place: String, text: String)] {
        var result: [(place: String, text: String)] = []
        let mark = "@number@"
        func walk(_ value: JSON, _ place: String, _ whole: (JSON) -> JSON) {
            switch value {
            case .number, .null:
                let text = whole(.string(mark)).text
                for replacement in replacements {
                    let parts = text.split(
                        separator: "\"\(mark)\"", maxSplits: 1, omittingEmptySubsequences: false)
                    result.append(("\(place) = \(replacement)", parts.joined(separator: replacement)))
                }
            case .array(let elements):
                for index in some(elements.count) {
                    walk(elements[index], "\(place)[\(index)]") { changed in
                        var copy = elements
                        copy[index] = changed
                        return whole(.array(copy))
                    }
                }
            case .object(let members):
                let keys = value.keys
                for index in some(keys.count, atMost: 64) {
                    guard let member = members[keys[index]] else { continue }
                    walk(member, "\(place).\(keys[index])") { changed in
                        var copy = members
                        copy[keys[index]] = changed
                        return whole(.object(copy))
                    }
                }
            case .string, .bool: break
            }
        }
        walk(json, "") { $0 }
        return result
    }

    private static func some(_ count: Int, atMost limit: Int = 4) -> [Int] {
        count <= limit ? Array(0..<count) : [0, count / 2, count - 1]
    }

    @Test("are refused, or the model opens and works", arguments: names) func everyNumber(_ name: String)
        throws
    {
        let copy = try SmallModel.folder()
        let variants = Self.variants(of: try JSON.read(path: copy.at(name)))
        #expect(
            name == "tokenizer/special_tokens_map.json" || variants.count >= Self.replacements.count,
            "\(name) has no numbers")
        var opened = 0
        for (place, text) in variants {
            try FileSystem.removeFile(copy.at(name))
            try AtomicFile.write(text, to: copy.at(name))
            do {
                let model = try DiffusionModel(folder: copy.path)
                opened += 1
                try use(model, copy.path, place)
            } catch let error as EngineError {
                // Where something is wrong must be said, in a line that can be read.
                #expect(
                    error.description.contains(copy.path) || error.kind == .shape || error.kind == .memory,
                    "\(place): \(error)")
                #expect(error.message.utf8.count < 1_000, "\(place): \(error.message.utf8.count) bytes")
            }
        }
        // What the engine does not read may be anything.
        #expect(opened > 0 || variants.isEmpty)
    }

    /// Whatever opens gives results or errors.
    private func use(_ model: DiffusionModel, _ path: String, _ place: String) throws {
        _ = try model.encode(["a cat"])
        if let clip = model.clip {
            _ = try clip.textFeatures(["a cat"])
            _ = try clip.imageFeatures([
                Bitmap(width: 20, height: 17, channels: 3, samples: Array(repeating: 90, count: 20 * 17 * 3))
            ])
        }
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "/"))
        let result = session.run(
            SourceFile(
                name: "test",
                text: """
                    model = load \(path)\nx = "a cat" | noise of=3 seed=1 size=16x24 | denoise guidance=2 | \
                    decode\ny = "a" | noise of=3
                    """))
        // A scheduler can be such that no steps are left, or its numbers end in infinity; the program itself
        // is right.
        let allowed: [DiagnosticCode] = [
            .engineConfiguration, .engineUnsupported, .engineSchedule, .engineNumbers, .engineShape,
            .engineMemory,
        ]
        for diagnostic in result.diagnostics where diagnostic.severity == .error {
            #expect(
                allowed.contains(diagnostic.code), "\(place): \(diagnostic.code.rawValue) \(diagnostic.title)"
            )
        }
    }

    @Test("counts that each are in range do not multiply beyond what can be built") func product() throws {
        let copy = try ModelCopy()
        try copy.edit("unet/config.json", ["layers_per_block": 1_000, "transformer_layers_per_block": 1_000])
        let error = #expect(throws: EngineError.self) { try UNet(folder: copy.at("unet")) }
        #expect(error?.kind == .configuration && error?.message.contains("at most 4096") == true)
    }

    @Test("options of `new` are checked before the run, at once") func newParts() throws {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "/"))
        let levels = Array(repeating: "32", count: 5_000).joined(separator: ",")
        for (line, key) in [
            ("new vae channels=32 layers=1000000", "layers_per_block"),
            ("new unet channels=160,320 layers=1000000", "layers_per_block"),
            (
                "new unet channels=160,320 transformer_layers_per_block=1000000",
                "transformer_layers_per_block"
            ),
            ("new unet channels=\(levels)", "block_out_channels"),
            ("new unet channels=160,320 sample=-8,8", "sample_size"),
            ("new unet channels=160,320 conv_in_kernel=4", "conv_in_kernel"),
            ("new vae channels=32 scaling_factor=1e300", "scaling_factor"),
            ("new clip tokenizer=words layers=1000000", "num_hidden_layers"),
            ("new clip tokenizer=words image=100000", "image_size"),
            ("new clip tokenizer=words layers=1.5", "num_hidden_layers"),
            ("new clip tokenizer=words hidden=\"wide\"", "hidden_size"),
        ] {
            let found = session.check(
                SourceFile(
                    name: "test",
                    text: "words = new tokenizer size=600 | fit tokenizer on=(items text=\"a\")\n\(line)"))
            #expect(found.map(\.code) == [.engineConfiguration], "\(line): \(found.map(\.title))")
            #expect(found.first?.title.contains("\(key): ") == true, "\(line): \(found.map(\.title))")
        }
    }
}
