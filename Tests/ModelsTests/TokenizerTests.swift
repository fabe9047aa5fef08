import Files
import Models
import Tensors
import TestSupport
import Testing

@Suite("Tokenizer against the reference") struct TokenizerTests {
    /// The lists of cases in the topic's folder, each with the tokenizer it names.
    static func goldenFiles() throws -> [(json: JSON, tokenizer: Tokenizer)] {
        let topic = try Golden.topic("tokenizer")
        let files = try topic.files(ending: ".json")
        #expect(!files.isEmpty, "no golden cases in \(topic.path)")
        return try files.map { name in
            let json = try topic.json(name)
            let folder = try #require(json["tokenizer"]?.string, "\(name) names no tokenizer")
            return (json, try Tokenizer(folder: Golden.folder.path(folder)))
        }
    }

    @Test("every golden text gives the reference's ids, mask and truncation")
    func cases() throws {
        for (json, tokenizer) in try Self.goldenFiles() {
            let cases = try #require(json["cases"]?.array)
            #expect(!cases.isEmpty)
            for one in cases {
                let text = try #require(one["text"]?.string)
                let expected = try #require(one["ids"]?.ints)
                let ones = try #require(one["mask"]?.int)
                let padded = tokenizer.padded(text, to: expected.count)
                #expect(padded.ids == expected, "\(text.debugDescription)")
                #expect(
                    padded.mask == (0..<expected.count).map { $0 < ones ? 1 : 0 }, "\(text.debugDescription)")
                #expect(padded.isTruncated == (one["raw_ids"] != nil))
                if let raw = one["raw_ids"]?.ints {
                    #expect(
                        [tokenizer.startToken] + tokenizer.encode(text) + [tokenizer.endToken] == raw,
                        "\(text.debugDescription)")
                }
            }
        }
    }

    @Test("a batch padded to its longest text equals the reference's")
    func longest() throws {
        for (json, tokenizer) in try Self.goldenFiles() {
            guard let batch = json["padding_longest"] else { continue }
            let texts = try #require(batch["texts"]?.strings)
            let length = texts.map { tokenizer.encode($0).count + 2 }.max() ?? 2
            for (i, text) in texts.enumerated() {
                let padded = tokenizer.padded(text, to: length)
                #expect(padded.ids == batch["input_ids"]?[i]?.ints)
                #expect(padded.mask == batch["attention_mask"]?[i]?.ints)
            }
        }
    }

    @Test("decoding gives the reference's text")
    func decoding() throws {
        for (json, tokenizer) in try Self.goldenFiles() {
            for one in json["decode"]?.array ?? [] {
                #expect(tokenizer.decode(try #require(one["ids"]?.ints)) == one["text"]?.string)
            }
        }
    }

    @Test("the text that does not fit is named")
    func lostText() throws {
        for (_, tokenizer) in try Self.goldenFiles() {
            let padded = tokenizer.padded("a cat a cat a Cat on a mat", to: 6)
            #expect(padded.ids.count == 6 && padded.ids.last == tokenizer.endToken)
            #expect(padded.lostText == "a cat on a mat")
            #expect(tokenizer.truncatedTail("a cat", length: 6) == nil)
        }
    }

    @Test("an empty text is the start token, the end token and padding")
    func empty() throws {
        for (_, tokenizer) in try Self.goldenFiles() {
            #expect(tokenizer.encode("").isEmpty)
            #expect(
                tokenizer.padded("", to: 4).ids == [
                    tokenizer.startToken, tokenizer.endToken, tokenizer.paddingToken, tokenizer.paddingToken,
                ])
        }
    }

    @Test("a long word splits as its periods do: merging is not confused by length")
    func longWord() throws {
        for (_, tokenizer) in try Self.goldenFiles() {
            // All pairs "zz" tie in rank, so a wrong order of equal candidates would show.
            let whole = tokenizer.encode(String(repeating: "z", count: 10_000))
            #expect(tokenizer.decode(whole) == String(repeating: "z", count: 10_000))
            let many = tokenizer.encode(String(repeating: "cat ", count: 2_500))
            #expect(many == Array(repeating: tokenizer.encode("cat"), count: 2_500).flatMap { $0 })
        }
    }
}

@Suite("Added tokens against the reference") struct AddedTokenGoldenTests {
    @Test(
        """
        every folder of the golden set gives the reference's ids, whatever file adds the tokens and by \
        whatever rule they are sought
        """)
    func folders() throws {
        let topic = try Golden.laterTopic("added_tokens")
        for name in try topic.files(ending: ".json") {
            let json = try topic.json(name)
            let base = try Golden.folder.folder(#require(json["tokenizer"]?.string))
            let vocabulary = try base.bytes("vocab.json"), merges = try base.bytes("merges.txt")
            let lines = String(decoding: merges, as: UTF8.self).split(separator: "\n").dropFirst().map {
                JSON.string(String($0))
            }
            let model = """
                {"type": "BPE", "vocab": \(String(decoding: vocabulary, as: UTF8.self)), "merges": \
                \(JSON.array(lines).text)}
                """
            let cases = try #require(json["cases"]?.array)
            #expect(!cases.isEmpty)
            for one in cases {
                let folder = try TemporaryFolder()
                if one["alone"]?.bool != true {
                    try AtomicFile.write(vocabulary, to: folder.path("vocab.json"))
                    try AtomicFile.write(merges, to: folder.path("merges.txt"))
                }
                for (file, text) in try #require(one["files"]?.object).sorted(by: { $0.key < $1.key }) {
                    let parts = try #require(text.string).components(around: "\"MODEL\"")
                    try AtomicFile.write(Array(parts.joined(separator: model).utf8), to: folder.path(file))
                }
                let tokenizer = try Tokenizer(folder: folder.path), name = one["name"]?.string ?? "?"
                for (i, text) in try #require(one["texts"]?.strings).enumerated() {
                    let found = [tokenizer.startToken] + tokenizer.encode(text) + [tokenizer.endToken]
                    #expect(found == one["ids"]?[i]?.ints, "\(name): \(text.debugDescription)")
                    guard let padded = one["padded"]?[i]?.ints else { continue }
                    #expect(
                        tokenizer.padded(text, to: padded.count).ids == padded,
                        "\(name): \(text.debugDescription)")
                }
            }
        }
    }
}

extension String {
    fileprivate func components(around mark: String) -> [String] {
        var parts = [""]
        var rest = self[...]
        while let first = rest.first {
            if rest.hasPrefix(mark) {
                parts.append("")
                rest.removeFirst(mark.count)
            } else {
                parts[parts.count - 1].append(first)
                rest.removeFirst()
            }
        }
        return parts
    }
}

@Suite("Tokenizer files") struct TokenizerFileTests {
    /// A vocabulary of the byte alphabet and the merges a+b, ab+c.
    static func write(to folder: TemporaryFolder, extra: [(String, String)] = []) throws {
        var tokens: [String] = []
        for byte in 33...126 { tokens.append(String(Unicode.Scalar(UInt8(byte)))) }
        tokens += tokens.map { $0 + "</w>" } + ["ab", "abc</w>", "<|startoftext|>", "<|endoftext|>"]
        let members = tokens.enumerated().map { "\(JSON.string($0.element).text): \($0.offset)" }
        try AtomicFile.write(
            Array("{\(members.joined(separator: ", "))}".utf8), to: folder.path("vocab.json"))
        try AtomicFile.write(Array("#version: 0.2\na b\nab c</w>\n".utf8), to: folder.path("merges.txt"))
        for (name, text) in extra { try AtomicFile.write(Array(text.utf8), to: folder.path(name)) }
    }

    static func failure(_ folder: TemporaryFolder) -> EngineError? {
        do {
            _ = try Tokenizer(folder: folder.path)
            return nil
        } catch {
            return error as? EngineError
        }
    }

    @Test("the configuration gives the length; without one it is CLIP's 77")
    func length() throws {
        let folder = try TemporaryFolder()
        try Self.write(to: folder)
        #expect(try Tokenizer(folder: folder.path).maximumLength == 77)
        try Self.write(to: folder, extra: [("tokenizer_config.json", #"{"model_max_length": 40}"#)])
        #expect(try Tokenizer(folder: folder.path).maximumLength == 40)
        try Self.write(to: folder, extra: [("tokenizer_config.json", #"{"model_max_length": 1e30}"#)])
        #expect(try Tokenizer(folder: folder.path).maximumLength == 77)
    }

    @Test(
        """
        a padding token that is a mark is taken out of texts as the reference does, and \
        special_tokens_map.json wins
        """)
    func paddingMark() throws {
        let folder = try TemporaryFolder()
        try Self.write(
            to: folder,
            extra: [
                ("tokenizer_config.json", #"{"pad_token": "<|endoftext|>"}"#),
                ("special_tokens_map.json", ##"{"pad_token": "#"}"##),
            ])
        let tokenizer = try Tokenizer(folder: folder.path)
        #expect(tokenizer.paddingToken == 2)
        // "#" inside a run of marks is the padding token, id 2, not "#</w>".
        #expect(tokenizer.encode("abc#").last == 2)
        #expect(tokenizer.padded("abc", to: 4).ids.last == 2)
    }

    @Test("special tokens are sought in any case only where the files call them normalised")
    func normalisedSpecialTokens() throws {
        let folder = try TemporaryFolder()
        try Self.write(to: folder)
        let plain = try Tokenizer(folder: folder.path)
        #expect(plain.encode("<|endoftext|>") == [plain.endToken])
        #expect(plain.encode("<|ENDOFTEXT|>") != [plain.endToken])
        let entry = #"{"content": "<|endoftext|>", "normalized": true}"#
        try Self.write(
            to: folder,
            extra: [
                (
                    "tokenizer_config.json",
                    #"{"eos_token": \#(entry), "unk_token": \#(entry), "pad_token": \#(entry)}"#
                )
            ])
        let normalised = try Tokenizer(folder: folder.path)
        #expect(normalised.encode("<|ENDOFTEXT|>") == [normalised.endToken])
    }

    @Test(
        """
        an id that is given otherwise than the reference numbers tokens is told, and so are two tokens that \
        normalise to one
        """)
    func remarks() throws {
        let folder = try TemporaryFolder()
        try Self.write(to: folder)
        let size = try Tokenizer(folder: folder.path).tokenCount
        #expect(try Tokenizer(folder: folder.path).remarks.isEmpty)
        try Self.write(
            to: folder,
            extra: [("added_tokens.json", #"{"<a>": \#(size), "<b>": \#(size + 2), "<B>": \#(size + 3)}"#)])
        let tokenizer = try Tokenizer(folder: folder.path)
        #expect(tokenizer.encode("<a><b><B>") == [size, size + 1, size + 1])
        #expect(tokenizer.remarks.count == 3)
        #expect(
            tokenizer.remarks.first?.contains(
                "<b> has the id \(size + 2) in the tokenizer's files and \(size + 1) in use") == true)
        #expect(
            tokenizer.remarks.last?.contains("<b> (id \(size + 1)) and <B> (id \(size + 2)) are one") == true)
    }

    @Test("what is cut off a text is told with its added tokens")
    func lostAddedTokens() throws {
        let folder = try TemporaryFolder()
        try Self.write(
            to: folder, extra: [("tokenizer_config.json", #"{"additional_special_tokens": ["<toy>"]}"#)])
        #expect(try Tokenizer(folder: folder.path).truncatedTail("ab ab <toy>", length: 6) == "<toy>")
    }

    @Test("a folder with only tokenizer.json reads the same")
    func wholeFile() throws {
        let folder = try TemporaryFolder()
        try Self.write(to: folder)
        let split = try Tokenizer(folder: folder.path)
        let vocabulary = String(decoding: try FileSystem.readBytes(folder.path("vocab.json")), as: UTF8.self)
        let other = try TemporaryFolder()
        let json =
            #"{"model": {"vocab": \#(vocabulary), "merges": [["a", "b"], "ab c</w>"]}, "added_tokens": []}"#
        try AtomicFile.write(Array(json.utf8), to: other.path("tokenizer.json"))
        let whole = try Tokenizer(folder: other.path)
        for text in ["abc", "ab abc cab", "x-y", ""] { #expect(whole.encode(text) == split.encode(text)) }
    }

    @Test("missing and damaged files are named")
    func damaged() throws {
        let empty = try TemporaryFolder()
        #expect(Self.failure(empty)?.place == empty.path("vocab.json"))
        for (name, text) in [
            ("vocab.json", "{\"a\": 1"), ("vocab.json", "{\"a\": }"), ("vocab.json", "[]"),
            ("vocab.json", "{}"), ("vocab.json", "{\"a\": 99999999999}"),
            ("vocab.json", "{\"a\": 9999999}"), ("vocab.json", "{\"a"), ("vocab.json", "{\"\\u12"),
            ("vocab.json", ""),
            ("merges.txt", "a b\nabc"), ("merges.txt", "a b c"), ("merges.txt", "a q\u{0}"),
            ("merges.txt", " b"), ("tokenizer_config.json", "{"),
            ("tokenizer_config.json", #"{"model_max_length": 1}"#),
            ("tokenizer_config.json", #"{"padding_side": "up"}"#),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"x": {"content": "a"}}}"#),
            ("tokenizer_config.json", #"{"pad_token": ""}"#),
            ("added_tokens.json", #"{"<a>": 0.5}"#), ("added_tokens.json", #"["<a>"]"#),
            ("added_tokens.json", #"{"<a>": "#),
            ("tokenizer.json", "{}"),
            ("tokenizer.json", #"{"model": {"vocab": {"a": 1}, "merges": [["a"]]}}"#),
            ("tokenizer.json", #"{"model": {"vocab""#),
            ("special_tokens_map.json", "["),
        ] {
            let folder = try TemporaryFolder()
            try Self.write(to: folder, extra: [(name, text)])
            #expect(Self.failure(folder)?.place == folder.path(name), "\(name): \(text)")
        }
        let folder = try TemporaryFolder()
        try Self.write(to: folder)
        try FileSystem.removeFile(folder.path("merges.txt"))
        #expect(Self.failure(folder)?.place == folder.path("merges.txt"))
    }
}
