import Datasets
import Files
import Tensors
import TestSupport
import Testing

@Suite("Data sets from folders and files") struct FolderTests {
    /// A folder with pictures a.png (red, 4 x 2) and sub/b.png (green, 3 x 3) and the given texts.
    static func folder(_ files: [String: String]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path("sub"))
        try PNG.write(Bitmap(width: 4, height: 2, red: 255, green: 0, blue: 0), to: folder.path("a.png"))
        try PNG.write(Bitmap(width: 3, height: 3, red: 0, green: 255, blue: 0), to: folder.path("sub/b.png"))
        for (name, text) in files { try AtomicFile.write(Array(text.utf8), to: folder.path(name)) }
        return folder
    }

    static func failure(_ files: [String: String], _ name: String = "", split: String? = nil) throws
        -> EngineError?
    {
        let folder = try folder(files)
        do {
            _ = try Dataset.load(name.isEmpty ? folder.path : folder.path(name), split: split)
            return nil
        } catch {
            return error as? EngineError
        }
    }

    static let lines = """
        {"file_name": "a.png", "text": "a red field", "split": "train", "size": 4, "item": 7}

        {"file_name": "sub/b.png", "text": "a green field", "split": "test", "size": 3, "item": 8}

        """

    @Test("metadata.jsonl: captions, pictures, further columns, the split")
    func metadata() throws {
        let folder = try Self.folder(["metadata.jsonl": Self.lines])
        let all = try Dataset.load(folder.path)
        #expect(all.columns.map(\.name) == ["text", "image", "item_in_file", "size", "split"])
        #expect(all.texts == ["a red field", "a green field"])
        #expect(try all.pictures?.map { try $0.bitmap().width } == [4, 3])
        if case .numbers(let sizes) = all["size"] {
            #expect(sizes == [4, 3])
        } else {
            Issue.record("size is no number column")
        }
        let test = try Dataset.load(folder.path, split: "test")
        #expect(test.texts == ["a green field"])
        #expect(
            try Self.failure(["metadata.jsonl": Self.lines], split: "dev")?.cure == "there is test, train")
    }

    @Test("the report's lists: pairs and objects, one file per split")
    func report() throws {
        let folder = try Self.folder([
            "train.json": #"[["a red field", "a.png"], ["another", "sub/b.png"]]"#,
            "test.json": #"[{"caption": "a green field", "image": "sub/b.png"}]"#,
        ])
        let all = try Dataset.load(folder.path)
        #expect(all.texts == ["a red field", "another", "a green field"])
        if case .text(let splits) = all["split"] {
            #expect(splits == ["train", "train", "test"])
        } else {
            Issue.record("no split")
        }
        #expect(try Dataset.load(folder.path, split: "test").texts == ["a green field"])
        #expect(try Dataset.load(folder.path("train.json")).pictures?.count == 2)
        #expect(try Dataset.load("train.json", base: folder.path).count == 2)
    }

    @Test("CSV: header, quoted captions, numbers")
    func table() throws {
        let folder = try Self.folder([
            "d.csv": "caption,file_name,score,note\n\"red, all\",a.png,1.5,x\ngreen,sub/b.png,,3\n"
        ])
        let all = try Dataset.load(folder.path("d.csv"))
        #expect(all.columns.map(\.name) == ["text", "image", "score", "note"])
        #expect(all.texts == ["red, all", "green"])
        if case .numbers(let scores) = all["score"] {
            #expect(scores[0] == 1.5 && scores[1].isNaN)
        } else {
            Issue.record("score is no number column")
        }
        if case .text(let notes) = all["note"] {
            #expect(notes == ["x", "3"])
        } else {
            Issue.record("note is no text column")
        }
    }

    @Test("size= gives the pixels that transformers prepares, of odd sizes too")
    func preparedSizes() throws {
        let topic = try Golden.laterTopic("sizes")
        let tensors = try topic.tensors("sizes.safetensors")
        let cases = try #require(try topic.json("sizes.json")["cases"]?.array)
        #expect(!cases.isEmpty)
        for one in cases {
            let name = try #require(one["name"]?.string), side = try #require(one["side"]?.int)
            let width = try #require(one["width"]?.int), height = try #require(one["height"]?.int)
            var samples: [UInt8] = []
            for y in 0..<height {
                for x in 0..<width {
                    for c in 0..<3 { samples.append(UInt8((7 * x + 13 * y + 50 * c + x * y % 31) % 256)) }
                }
            }
            let folder = try TemporaryFolder()
            try PNG.write(
                Bitmap(width: width, height: height, channels: 3, samples: samples), to: folder.path("a.png"))
            try AtomicFile.write(
                Array(#"{"file_name": "a.png", "text": "a"}"#.utf8), to: folder.path("metadata.jsonl"))
            let picture = try #require(try Dataset.load(folder.path, size: side).pictures?.first).bitmap()
            #expect(picture.width == side && picture.height == side)
            // Exact: the same fixed-point passes as Pillow's.
            #expect(picture.samples == (try tensors.tensor(name)).values.map { UInt8($0) }, "\(name)")
        }
    }

    @Test("size= scales the shorter side and crops to the middle")
    func size() throws {
        let folder = try Self.folder(["metadata.jsonl": Self.lines])
        var halves = Bitmap(width: 4, height: 2, red: 255, green: 0, blue: 0).samples
        for i in [6, 18] { halves[i] = 0 }
        try PNG.write(Bitmap(width: 4, height: 2, channels: 3, samples: halves), to: folder.path("a.png"))
        let pictures = try #require(try Dataset.load(folder.path, size: 2).pictures)
        // The middle two columns of a 4 x 2 picture; the third column is black.
        #expect(try pictures[0].bitmap().samples == [255, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0])
        #expect(try pictures[1].bitmap() == Bitmap(width: 2, height: 2, red: 0, green: 255, blue: 0))
    }

    @Test("a data set without pictures is a list of prompts")
    func prompts() throws {
        let folder = try Self.folder(["p.csv": "text\na cat\na dog\n"])
        let prompts = try Dataset.load(folder.path("p.csv"))
        #expect(prompts.texts == ["a cat", "a dog"] && prompts.pictures == nil)
    }

    @Test("errors name the file, the line and what is missing")
    func errors() throws {
        func place(_ files: [String: String], _ name: String = "", split: String? = nil) throws -> String {
            let error = try Self.failure(files, name, split: split)
            return FileSystem.name(of: error?.place ?? "no error")
        }
        let good = #"{"file_name": "a.png", "text": "x"}"#
        #expect(try place(["metadata.jsonl": good + "\n{"]) == "metadata.jsonl, line 2")
        #expect(try place(["metadata.jsonl": good + "\n\n[1]"]) == "metadata.jsonl, line 3")
        #expect(try place(["metadata.jsonl": good + "\n" + #"{"text": "x"}"#]) == "metadata.jsonl, line 2")
        #expect(
            try place(["metadata.jsonl": good + "\n" + #"{"file_name": "a.png"}"#])
                == "metadata.jsonl, line 2")
        #expect(
            try place(["metadata.jsonl": good + "\n" + #"{"file_name": "a.png", "text": 3}"#])
                == "metadata.jsonl, line 2")
        #expect(
            try place(["metadata.jsonl": good + "\n" + #"{"file_name": "c.png", "text": "x"}"#])
                == "metadata.jsonl, line 2")
        #expect(
            try Self.failure(["metadata.jsonl": #"{"file_name": "c.png", "text": "x"}"#])?.message.contains(
                "c.png") == true)
        #expect(try place(["metadata.jsonl": ""]) == "metadata.jsonl")
        #expect(try place(["metadata.jsonl": #"{"name": "x"}"#]) == "metadata.jsonl")
        #expect(try place(["train.json": "{}"]) == "train.json")
        #expect(try place(["train.json": #"[["x", "a.png"], ["y"]]"#]) == "train.json, element 2")
        #expect(try place(["train.json": "[]"], split: "train") != "no error")
        #expect(
            try Self.failure(["train.json": #"[["x", "a.png"]]"#], split: "test")?.cure == "there is train")
        #expect(try place(["d.csv": "text,image\nx\n"], "d.csv") == "d.csv, line 2")
        #expect(try place(["d.txt": "x"], "d.txt") == "d.txt")
        #expect(try Self.failure([:])?.cure?.contains("metadata.jsonl") == true)
        #expect(try Self.failure([:], "nothing")?.kind == .data)
        #expect(throws: EngineError.self) { try Dataset.load("no-such-name") }
    }

    @Test("a damaged picture is reported when it is shown, by its name")
    func damagedPicture() throws {
        let folder = try Self.folder(["metadata.jsonl": Self.lines, "a.png": "this is text"])
        let pictures = try #require(try Dataset.load(folder.path).pictures)
        do {
            _ = try pictures[0].bitmap()
            Issue.record("a text file was shown as a picture")
        } catch let error as EngineError {
            #expect(error.place == folder.path("a.png"))
        }
        #expect(try pictures[1].bitmap().width == 3)
    }
}
