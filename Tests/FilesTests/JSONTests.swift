import Files
import Tensors
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
    @Test("values are read into their kinds")
    func kinds() throws {
        let json = try JSON.parse(
            #"{"a": [1, -2.5, 1e3], "b": "é\n😀", "c": true, "d": null, "e": {}, "f": false, "g": 0}"#,
            place: "test")
        #expect(json["a"]?.doubles == [1, -2.5, 1000])
        #expect(json["a"]?[0]?.int == 1)
        #expect(json["a"]?[1]?.int == nil)
        #expect(json["a"]?[3] == nil)
        #expect(json["b"]?.string == "é\n😀")
        #expect(json["c"] == true && json["f"] == false && json["d"]?.isNull == true)
        #expect(json["e"]?.object?.isEmpty == true)
        #expect(json["g"] == 0 && json["g"]?.bool == nil)
        #expect(json["none"] == nil)
        #expect(json.keys == ["a", "b", "c", "d", "e", "f", "g"])
        #expect(json["a"]?.ints == nil && json["a"]?.strings == nil)
    }

    @Test(
        "whole numbers are those that a double holds exactly",
        arguments: [
            ("9007199254740992", 9_007_199_254_740_992), ("1e300", nil), ("-3.0", -3), ("1.5", nil),
            ("-0", 0),
        ] as [(String, Int?)])
    func integers(text: String, expected: Int?) throws {
        #expect(try JSON.parse(text, place: "test").int == expected)
    }

    @Test(
        "what is no JSON is an error that names its place",
        arguments: [
            "", " ", "{", "[1,]x", "{\"a\":}", "nul", "\"", "'a'", "[1 2]", "{\"a\" 1}", "1e999",
            "[\"\\u12\"]", "\u{feff}x", "NaN",
        ])
    func invalid(text: String) {
        let error = #expect(throws: EngineError.self) { try JSON.parse(text, place: "row 3") }
        #expect(error?.place == "row 3")
    }

    @Test("deep nesting is an error, not the end of the stack", arguments: ["[", "{\"a\":"])
    func nesting(opening: String) {
        #expect(throws: EngineError.self) {
            try JSON.parse(String(repeating: opening, count: 200_000), place: "test")
        }
        #expect(throws: EngineError.self) {
            try JSON.parse(
                String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000), place: "test"
            )
        }
    }

    @Test("bytes that are not UTF-8 are an error")
    func notText() {
        #expect(throws: EngineError.self) { try JSON.parse([0x22, 0xff, 0xfe, 0x22], place: "test") }
    }

    @Test("what is written is read back the same")
    func roundTrip() throws {
        let json: JSON = [
            "numbers": [
                0, -1, 0.1, 1e-5, 1e300, 9_007_199_254_740_991, 3.4028235e38, .number(.leastNonzeroMagnitude),
            ],
            "text": "a \"b\" \\ / \u{1}\t\r\n ü 🐉 \u{2028}", "none": nil, "yes": true, "": [],
            "nested": ["list": [[1, [2]], [:]]],
        ]
        #expect(try JSON.parse(json.text, place: "test") == json)
        #expect(try JSON.parse(json.prettyText, place: "test") == json)
    }

    @Test("written text is canonical")
    func canonical() {
        let json: JSON = ["b": [1, 2.5], "a": ["x": true, "y": [[1], []]], "c": .number(.nan)]
        #expect(json.text == #"{"a":{"x":true,"y":[[1],[]]},"b":[1,2.5],"c":null}"#)
        #expect(
            json.prettyText == """
                {
                  "a": {
                    "x": true,
                    "y": [
                      [1],
                      []
                    ]
                  },
                  "b": [1, 2.5],
                  "c": null
                }

                """)
    }

    @Test("random changes to a text never trap")
    func damage() throws {
        let text = Array(#"{"a": [1, -2.5e3, true], "b\u00e9": {"c": "\ud83d\ude00", "d": null}}"#.utf8)
        var random = SmallGenerator(seed: 5)
        var refused = 0
        for _ in 0..<3000 {
            var changed = text
            changed[random.next(below: text.count)] = UInt8(truncatingIfNeeded: random.next())
            if random.next(below: 4) == 0 { changed.removeLast(random.next(below: text.count)) }
            if (try? JSON.parse(changed, place: "test")) == nil { refused += 1 }
        }
        #expect(refused > 0)
    }

    @Test("what would steer a terminal is escaped, as text and as a key, and is the same value")
    func steering() throws {
        let text = "a\u{0}\u{1B}\u{7F}\u{9B}\u{61C}\u{200E}\u{200F}\u{202E}\u{2066}\u{2069}\u{2028}b"
        let written = JSON.object([text: .string(text)]).text
        #expect(
            written.unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) }
                && written.contains(#"a\u0000\u001b\u007f\u009b\u061c"#))
        #expect(try JSON.parse(written, place: "test") == [text: .string(text)])
    }

    @Test("every JSON file of the golden data survives a round trip")
    func golden() throws {
        var read = 0
        for topic in try Golden.folder.folders() {
            for name in try topic.files(ending: ".json") {
                let json = try topic.json(name)
                #expect(try JSON.parse(json.text, place: name) == json, "\(name)")
                read += 1
            }
        }
        #expect(read > 0)
    }

    @Test("a file of known structure is decoded straight, and a wrong one is told")
    func decoding() throws {
        let temporary = try TemporaryFolder()
        try AtomicFile.write(#"{"a</w>": 3, "b": 4}"#, to: temporary.path("vocab.json"))
        #expect(
            try JSON.decode([String: Int].self, path: temporary.path("vocab.json")) == ["a</w>": 3, "b": 4])
        let error = #expect(throws: EngineError.self) {
            try JSON.decode([String: [Int]].self, path: temporary.path("vocab.json"))
        }
        #expect(error?.place == temporary.path("vocab.json"))
    }
}
