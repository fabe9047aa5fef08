import Files
import Tensors
import TestSupport
import Testing

@Suite("Safetensors")
struct SafetensorsTests {
    /// Every safetensors file of the models topic, shards included.
    static func files() throws -> [String] {
        try Golden.topic("models").folders().flatMap { folder in
            try folder.files(ending: ".safetensors").map { folder.path($0) }
        }
    }

    @Test("a file of the reference writer, read and written again, has the same bytes")
    func rewritesIdentically() throws {
        let temporary = try TemporaryFolder()
        var compared = 0
        for path in try Self.files() {
            let file = try SafetensorsFile(path: path)
            var contents: [String: Safetensors.Content] = [:]
            for name in file.names {
                guard let entry = file.entry(name) else { continue }
                switch entry.type {
                case .float32: contents[name] = .float32(try file.tensor(name))
                case .float16: contents[name] = .float16(try file.tensor(name))
                case .float64: contents[name] = .float64(try file.doubles(name), shape: entry.shape)
                case .int64: contents[name] = .int64(try file.integers(name), shape: entry.shape)
                case .uint8:
                    contents[name] = .uint8(try file.integers(name).map { UInt8($0) }, shape: entry.shape)
                default: break
                }
            }
            // Types that are read but not written, such as bfloat16.
            guard contents.count == file.names.count else { continue }
            let copy = temporary.path("copy.safetensors")
            try Safetensors.write(contents, metadata: file.metadata, to: copy)
            #expect(try FileSystem.readBytes(copy) == FileSystem.readBytes(path), "\(path)")
            compared += 1
        }
        #expect(compared > 0)
    }

    @Test("half and bfloat16 weights are the float weights rounded")
    func halves() throws {
        var compared = 0
        for path in try Self.files() {
            let file = try SafetensorsFile(path: path)
            for name in file.names {
                guard let entry = file.entry(name), entry.type == .bfloat16 || entry.type == .float16 else {
                    continue
                }
                let bits: [UInt16] = try file.withUnsafeBytes(of: name) { bytes in
                    (0..<entry.count).map { UInt16(bytes[$0 * 2]) | UInt16(bytes[$0 * 2 + 1]) << 8 }
                }
                let expected = bits.map {
                    entry.type == .float16
                        ? Float(Float16(bitPattern: $0)) : Float(bitPattern: UInt32($0) << 16)
                }
                #expect(try file.tensor(name).values == expected, "\(name) in \(path)")
                compared += 1
            }
        }
        #expect(compared > 0)
    }

    @Test("every one of the 65,536 half-precision numbers widens exactly")
    func allHalves() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("halves.safetensors")
        let bits = (0...65535).map { UInt16($0) }
        // One more at the end, so that the part after the last whole vector is covered too.
        let all = bits + [0x3c00]
        let header = #"{"halves":{"dtype":"F16","shape":[65537],"data_offsets":[0,131074]}}"#
        try AtomicFile.write(
            Self.file(header, data: all.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }), to: path)
        let values = try SafetensorsFile(path: path).tensor("halves").values
        for (value, bits) in zip(values, all) {
            let expected = Float(Float16(bitPattern: bits))
            #expect(
                value == expected && value.sign == expected.sign || value.isNaN && expected.isNaN, "\(bits)")
        }
    }

    @Test("shards are found through their index")
    func shards() throws {
        var found = 0
        for folder in try Golden.topic("models").folders() {
            for index in try folder.files(ending: ".safetensors.index.json") {
                let weights = try WeightFolder(folder: folder.path, name: index)
                let map = try #require(try folder.json(index)["weight_map"]?.object)
                #expect(weights.names.count == map.count)
                #expect(weights.files.count == Set(map.values).count)
                for name in weights.names {
                    #expect(weights.file(of: name)?.path == folder.path(try #require(map[name]?.string)))
                    #expect(try weights.tensor(name).shape == weights.entry(name)?.shape)
                }
                found += 1
            }
        }
        #expect(found > 0)
    }

    @Test("a missing shard is named")
    func missingShard() throws {
        let temporary = try TemporaryFolder()
        try AtomicFile.write(
            #"{"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}"#,
            to: temporary.path("m.safetensors.index.json"))
        try Safetensors.write(["a": Tensor(zeros: [2])], to: temporary.path("m-1.safetensors"))
        let error = #expect(throws: EngineError.self) {
            try WeightFolder(folder: temporary.path, name: "m.safetensors.index.json")
        }
        #expect(error?.message.contains("m-2.safetensors") == true)
        #expect(error?.message.contains("m-1.safetensors") == false)
    }

    @Test("a shard outside the folder is refused")
    func escapingShard() throws {
        let temporary = try TemporaryFolder()
        try AtomicFile.write(
            #"{"weight_map": {"a": "../../etc/passwd"}}"#, to: temporary.path("m.safetensors.index.json"))
        let error = #expect(throws: EngineError.self) {
            try WeightFolder(folder: temporary.path, name: "m.safetensors.index.json")
        }
        #expect(error?.message.contains("outside") == true)
    }

    @Test("types, shapes and metadata come back as they were written")
    func roundTrip() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("x.safetensors")
        let floats = Tensor(shape: [2, 3], values: [1, -2, 0.5, .infinity, 0x1p-140, 3])
        try Safetensors.write(
            [
                "floats": .float32(floats), "scalar": .float32(Tensor(shape: [], values: [7])),
                "none": .float32(Tensor(zeros: [0, 4])),
                "whole": .int64([.min, -1, .max], shape: [3]),
                "wide": .float64([0.1, -1e300], shape: [2, 1]), "bytes": .uint8([0, 255, 7], shape: [3]),
                "half \"quoted\" ü": .float16(Tensor(shape: [3], values: [1, 65504, 1e9])),
            ], metadata: ["note": "a \"b\"\n\u{1}"], to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.names == ["bytes", "floats", "half \"quoted\" ü", "none", "scalar", "whole", "wide"])
        #expect(file.metadata == ["note": "a \"b\"\n\u{1}"])
        #expect(try file.tensor("floats").values == floats.values)
        #expect(try file.tensor("scalar").shape == [])
        #expect(try file.tensor("none").shape == [0, 4])
        #expect(try file.integers("whole") == [.min, -1, .max])
        #expect(try file.doubles("wide") == [0.1, -1e300])
        #expect(try file.integers("bytes") == [0, 255, 7])
        #expect(try file.tensor("half \"quoted\" ü").values == [1, 65504, .infinity])
        #expect(throws: EngineError.self) { try file.integers("floats") }
        #expect(throws: EngineError.self) { try file.tensor("other") }
    }

    static func file(_ header: String, length: UInt64? = nil, data: [UInt8] = []) -> [UInt8] {
        withUnsafeBytes(of: length ?? UInt64(header.utf8.count)) { Array($0) } + Array(header.utf8) + data
    }

    @Test(
        "a damaged header is an error that names the file",
        arguments: [
            Damage("length beyond the file", file("{}", length: 1 << 40)),
            Damage("length of all ones", file("{}", length: .max)),
            Damage("no JSON", file("{\"a\":", data: [])),
            Damage("a list", file("[]")),
            Damage(
                "unknown type", file(#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,1]}}"#, data: [0])),
            Damage(
                "negative extent", file(#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}"#, data: [0])
            ),
            Damage(
                "overflowing shape",
                file(
                    #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#,
                    data: [0, 0, 0, 0])),
            Damage(
                "shape beyond integers",
                file(#"{"a":{"dtype":"U8","shape":[1e30],"data_offsets":[0,1]}}"#, data: [0])),
            Damage(
                "fractional shape",
                file(#"{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}"#, data: [0])),
            Damage(
                "whole shape written as a fraction",
                file(#"{"a":{"dtype":"U8","shape":[2.0, 2],"data_offsets":[0,4]}}"#, data: [0, 0, 0, 0])),
            Damage(
                "shape with an exponent",
                file(#"{"a":{"dtype":"U8","shape":[4e0],"data_offsets":[0,4]}}"#, data: [0, 0, 0, 0])),
            Damage(
                "offset written as a fraction",
                file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1.0]}}"#, data: [0])),
            Damage(
                "offsets beyond the data",
                file(#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, data: [0])),
            Damage(
                "offsets reversed", file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}"#, data: [0])
            ),
            Damage(
                "offsets negative",
                file(#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[-1,1]}}"#, data: [0])),
            Damage("one offset", file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#, data: [0])),
            Damage(
                "size not the shape's",
                file(#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}"#, data: [0])),
            Damage(
                "overlap",
                file(
                    #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
                    data: [0, 0, 0])),
            Damage("a hole", file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, data: [0, 0])),
            Damage(
                "rest at the end",
                file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: [0, 0])),
            Damage("nesting", file(String(repeating: "[", count: 100_000))),
            Damage("bytes that are not text", [2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]),
            Damage("seven bytes", [1, 2, 3, 4, 5, 6, 7]),
            Damage("nothing", []),
        ])
    func damaged(_ damage: Damage) throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("damaged.safetensors")
        try AtomicFile.write(damage.bytes, to: path)
        let error = #expect(throws: EngineError.self, "\(damage.testDescription)") {
            try SafetensorsFile(path: path)
        }
        #expect(error?.place == path)
    }

    @Test("metadata may be null, and names may look like numbers")
    func nullMetadata() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("null.safetensors")
        try AtomicFile.write(
            Self.file(
                #"{"__metadata__":null,"a[1.5e3]\"[2.0":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
                data: [7]), to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata.isEmpty)
        #expect(try file.integers(#"a[1.5e3]"[2.0"#) == [7])
    }

    @Test(
        "messages about a header call types by their names in JSON",
        arguments: [
            (#"{"__metadata__":7}"#, "an object"), (#"{"__metadata__":{"a":7}}"#, "a string"),
            (#"{"a":{"dtype":7,"shape":[1],"data_offsets":[0,1]}}"#, "a string"),
            (#"{"a":{"dtype":"U8","shape":7,"data_offsets":[0,1]}}"#, "an array"),
            (#"{"a":{"dtype":"U8","shape":["x"],"data_offsets":[0,1]}}"#, "a whole number"),
            (#"{"a":[1]}"#, "an object"),
            (#"{"a":{"dtype":"U8","shape":null,"data_offsets":[0,1]}}"#, "an array"),
        ])
    func words(_ header: String, expected: String) throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("odd.safetensors")
        try AtomicFile.write(Self.file(header, data: [7]), to: path)
        let error = #expect(throws: EngineError.self) { try SafetensorsFile(path: path) }
        #expect(error?.message.contains("expected " + expected) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("<") == false && error?.message.contains("Dictionary") == false)
    }

    @Test("a missing file and a folder in its place are errors that name the path")
    func missing() throws {
        let temporary = try TemporaryFolder()
        for path in [temporary.path("none.safetensors"), temporary.path] {
            let error = #expect(throws: EngineError.self) { try SafetensorsFile(path: path) }
            #expect(error?.place == path)
        }
    }

    @Test("a file cut anywhere is refused")
    func truncated() throws {
        let temporary = try TemporaryFolder()
        let whole = temporary.path("whole.safetensors")
        try Safetensors.write(
            ["a": Tensor(zeros: [5, 3]), "b": Tensor(zeros: [40])], metadata: ["format": "pt"], to: whole)
        let bytes = try FileSystem.readBytes(whole)
        let path = temporary.path("cut.safetensors")
        for count in stride(from: 0, to: bytes.count, by: 7) {
            try AtomicFile.write(Array(bytes.prefix(count)), to: path)
            #expect(throws: EngineError.self, "\(count) bytes") { try SafetensorsFile(path: path) }
        }
    }

    @Test("random changes to the header never trap, and what still opens can be read")
    func randomHeaders() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("random.safetensors")
        try Safetensors.write(
            [
                "a": .float32(Tensor(zeros: [5, 3])), "b": .int64([1, 2], shape: [2]),
                "c": .float16(Tensor(zeros: [9])),
            ], metadata: ["format": "pt"], to: path)
        let bytes = try FileSystem.readBytes(path)
        let header = 8 + Int(bytes[0])
        var random = SmallGenerator(seed: 1)
        var opened = 0
        var refused = 0
        for _ in 0..<400 {
            var changed = bytes
            for _ in 0..<(1 + random.next(below: 3)) {
                // Mostly characters that keep the JSON whole: digits in shapes and offsets.
                changed[random.next(below: header)] =
                    random.next(below: 2) == 0
                    ? UInt8(48 + random.next(below: 10)) : UInt8(random.next(below: 256))
            }
            try AtomicFile.write(changed, to: path)
            do {
                let file = try SafetensorsFile(path: path)
                for name in file.names { #expect(try file.tensor(name).count == file.entry(name)?.count) }
                opened += 1
            } catch let error as EngineError {
                #expect(error.place == path)
                refused += 1
            }
        }
        #expect(opened + refused == 400 && refused > 0)
    }
}

/// A damaged file; the log shows its defect, not its bytes.
struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]

    init(_ defect: String, _ bytes: [UInt8]) {
        testDescription = defect
        self.bytes = bytes
    }
}
