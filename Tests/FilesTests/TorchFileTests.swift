import Files
import Tensors
import TestSupport
import Testing

@Suite("Files of torch.save") struct TorchFileTests {
    private static func folder() throws -> GoldenFolder { try Golden.laterTopic("torch") }

    private static func files(_ list: String) throws -> [(name: String, word: String)] {
        let files = try #require(try folder().json(list).object).map { ($0.key, $0.value.string ?? "") }
        try #require(!files.isEmpty)
        return files.sorted { $0.0 < $1.0 }
    }

    @Test("every form holds the tensors that torch put there, bit for bit, strided ones too") func tensors()
        throws
    {
        let folder = try Self.folder()
        for (name, word) in try Self.files("good.json") {
            let expected = try SafetensorsFile(path: folder.path(word + ".safetensors"))
            let found = try WeightFile.open(folder.path(name))
            #expect(found.names == expected.names, "\(name)")
            for tensor in expected.names {
                let (a, b) = (
                    try #require(found.entry(tensor), "\(name): \(tensor)"),
                    try #require(expected.entry(tensor))
                )
                #expect(a.type == b.type && a.shape == b.shape && a.count == b.count, "\(name): \(tensor)")
                let bytes = try (
                    found.withUnsafeBytes(of: tensor) { Array($0) },
                    expected.withUnsafeBytes(of: tensor) { Array($0) }
                )
                #expect(bytes.0 == bytes.1, "\(name): \(tensor)")
                #expect(
                    try found.doubles(tensor).map(\.bitPattern) == expected.doubles(tensor).map(\.bitPattern),
                    "\(name): \(tensor)")
            }
        }
    }

    @Test("what is no dictionary of tensors is refused by name, and nothing is ever called") func refused()
        throws
    {
        let folder = try Self.folder()
        for (name, word) in try Self.files("bad.json") {
            let error = #expect(throws: EngineError.self, "\(name)") {
                try TorchFile(path: folder.path(name))
            }
            #expect(error?.place == folder.path(name), "\(name)")
            #expect(error?.message.contains(word) == true, "\(name): \(error.map { "\($0)" } ?? "")")
            #expect(error?.cure != nil, "\(name)")
        }
        #expect(!FileSystem.exists("CALLED") && !FileSystem.exists(folder.path("CALLED")))
    }

    @Test("a file that ends anywhere is an error that names it", arguments: ["zip.bin", "legacy.bin"])
    func cut(_ name: String) throws {
        let bytes = try Self.folder().bytes(name), temporary = try TemporaryFolder(),
            path = temporary.path(name)
        for count in stride(from: 0, to: bytes.count - 1, by: 37) {
            try AtomicFile.write(Array(bytes.prefix(count)), to: path, durable: false)
            let error = #expect(throws: EngineError.self, "\(count) of \(bytes.count)") {
                try TorchFile(path: path)
            }
            #expect(error?.place == path)
        }
    }

    @Test(
        "any bytes are tensors or an error",
        arguments: ["zip.bin", "legacy-ordered.pth", "parameters.pt", "zip-protocol-4.pth"])
    func mutated(_ name: String) throws {
        let temporary = try TemporaryFolder(), path = temporary.path(name)
        try MutatedInputs.check("file of torch, \(name)", Self.folder().bytes(name)) { input in
            try AtomicFile.write(input, to: path, durable: false)
            let file = try TorchFile(path: path)
            for tensor in file.names { _ = try file.doubles(tensor) }
            return true
        }
    }

    /// The legacy form around a pickle of one's own, which has no checksum in the way.
    private static func legacy(_ pickle: [UInt8]) -> [UInt8] {
        let magic: [UInt8] = [
            0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
        ]
        return magic + [0x80, 2, 0x4d, 0xe9, 3, 0x2e] + [0x80, 2, 0x7d, 0x2e] + pickle + [
            0x80, 2, 0x5d, 0x2e,
        ]
    }

    @Test(
        """
        pickles that nest without end, hold themselves or grow from little are errors, not the end of the \
        process
        """) func bombs() throws
    {
        let temporary = try TemporaryFolder(), path = temporary.path("x.pt")
        let nested = [UInt8](repeating: 0x5d, count: 500_000) + [UInt8](repeating: 0x61, count: 499_999)
        let bombs: [(name: String, pickle: [UInt8])] = [
            ("nested lists", nested),
            ("nested tuples", [0x29] + [UInt8](repeating: 0x85, count: 500_000)),
            ("a list in itself", [0x5d, 0x71, 0, 0x68, 0, 0x61]),
            ("a dictionary in itself", [0x7d, 0x71, 0, 0x58, 1, 0, 0, 0, 0x61, 0x68, 0, 0x73]),
            (
                "calls of calls",
                Array("cos\nsystem\n)R".utf8) + (0..<100_000).flatMap { _ in Array(")R".utf8) }
            ),
            (
                "ten lists of ten lists",
                (0..<40).flatMap { _ in
                    Array("]q\u{0}(".utf8) + (0..<10).flatMap { _ in Array("h\u{0}".utf8) } + Array("e".utf8)
                }
            ),
            ("a long text", [0x58, 0xff, 0xff, 0xff, 0x7f]),
            ("a longer text", [0x8d] + [UInt8](repeating: 0xff, count: 8)),
            ("marks", [UInt8](repeating: 0x28, count: 500_000)),
        ]
        for (name, pickle) in bombs {
            try AtomicFile.write(Self.legacy([0x80, 2] + pickle + [0x2e]), to: path, durable: false)
            #expect(throws: EngineError.self, "\(name)") { try TorchFile(path: path) }
        }
    }
}
