import Datasets
import Files
import Tensors
import TestSupport
import Testing

@Suite("Data set monsters, from the installed games") struct MonstersTests {
    /// `monsters.tsv`: for each row in order the first 16 digits of the SHA-256 of its 32 x 32 RGB pixels,
    /// split, source, name, key.
    static func expected() throws -> [[String]] {
        let path = FileSystem.join(FileSystem.folder(of: #filePath), "monsters.tsv")
        let lines = try FileSystem.readText(path).split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(lines.count > 1000)
        return lines
    }

    static func text(_ dataset: Dataset, _ column: String) throws -> [String] {
        guard case .text(let values) = dataset[column] else {
            throw EngineError(.data, "no text column \(column)")
        }
        return values
    }

    @Test("pictures, splits, names, keys and order are the fixed ones")
    func rows() throws {
        let expected = try Self.expected()
        let dataset = try Dataset.load("monsters")
        #expect(dataset.columns.map(\.name) == ["text", "image", "name", "split", "source", "key"])
        #expect(dataset.count == expected.count)
        let (names, splits) = (try Self.text(dataset, "name"), try Self.text(dataset, "split"))
        let (sources, keys) = (try Self.text(dataset, "source"), try Self.text(dataset, "key"))
        let pictures = try #require(dataset.pictures)
        for (i, row) in expected.enumerated() {
            let bitmap = try pictures[i].bitmap()
            #expect(bitmap.width == 32 && bitmap.height == 32 && bitmap.channels == 3)
            #expect(
                [
                    String(try Digest.sha256(bitmap.samples).prefix(16)), splits[i], sources[i], names[i],
                    keys[i],
                ] == row, "row \(i)")
        }
    }

    @Test("train and test are the two parts of the whole, in its order")
    func splits() throws {
        let expected = try Self.expected()
        for split in ["train", "test"] {
            let part = try Dataset.load("monsters", split: split)
            #expect(try Self.text(part, "key") == expected.filter { $0[1] == split }.map { $0[4] })
        }
        #expect(throws: EngineError.self) { try Dataset.load("monsters", split: "validation") }
    }

    @Test("captions begin with the name and have 20 words at most")
    func captions() throws {
        let dataset = try Dataset.load("monsters")
        let names = try Self.text(dataset, "name")
        for (text, name) in zip(try #require(dataset.texts), names) {
            let words = text.split(separator: " ")
            #expect((2...20).contains(words.count) || text == name, "\(text)")
            #expect(
                ["", "a ", "an "].contains { text.lowercased().hasPrefix($0 + name.lowercased()) }, "\(text)")
            #expect(!text.hasSuffix(".") && !text.hasSuffix(",") && !text.contains("  "), "\(text)")
        }
    }

    @Test("larger pictures are the sprites' pixels zoomed by whole numbers, smaller ones are reduced")
    func sizes() throws {
        let cell = try #require(try Dataset.load("monsters").pictures)
        let double = try #require(try Dataset.load("monsters", size: 64).pictures)
        let odd = try #require(try Dataset.load("monsters", size: 100).pictures)
        let small = try #require(try Dataset.load("monsters", size: 16).pictures)
        var zoomed = 0
        for i in stride(from: 0, to: cell.count, by: 9) {
            let picture = try cell[i].bitmap()
            // All but the few tall sprites fill the cell that 32 x 32 shows.
            if try double[i].bitmap() == picture.zoomed(2) { zoomed += 1 }
            if try double[i].bitmap() == picture.zoomed(2) {
                #expect(try odd[i].bitmap().cropped(x: 2, y: 2, width: 96, height: 96) == picture.zoomed(3))
                #expect(try small[i].bitmap() == picture.resized(width: 16, height: 16, filter: .nearest))
            }
            #expect(try odd[i].bitmap().width == 100)
        }
        #expect(zoomed > cell.count / 9 - 20)
        #expect(throws: EngineError.self) { try Dataset.load("monsters", size: 0) }
        #expect(throws: EngineError.self) { try Dataset.load("monsters", size: 100_000) }
    }

    @Test("all=yes adds the undead copies")
    func undead() throws {
        let some = try Set(Self.text(Dataset.load("monsters"), "key"))
        let all = try Set(Self.text(Dataset.load("monsters", all: true), "key"))
        #expect(all.count > some.count + 100)
        #expect(all.subtracting(some).allSatisfy { $0.hasPrefix("undead_") })
    }

    @Test("without the packages the error gives the command that installs them")
    func missing() throws {
        let folder = try TemporaryFolder()
        do {
            _ = try Dataset.load("monsters", root: folder.path)
            Issue.record("an empty root gave a data set")
        } catch let error as EngineError {
            #expect(
                error.kind == .data && error.description.contains("apt-get install angband crawl-tiles-data"))
        }
    }

    @Test("another atlas than the one the places fit is refused")
    func otherAtlas() throws {
        let folder = try TemporaryFolder()
        for name in [
            "etc/angband/pref/graf-dvg.prf", "etc/angband/edit/monster.txt",
            "usr/share/angband/xtra/graf/32x32.png",
            "usr/share/crawl/dat/descript/monsters.txt",
        ] {
            try FileSystem.createFolder(FileSystem.folder(of: folder.path(name)))
            try AtomicFile.write(FileSystem.readBytes("/" + name), to: folder.path(name))
        }
        let atlas = folder.path("usr/share/crawl/dat/tiles/player.png")
        try FileSystem.createFolder(FileSystem.folder(of: atlas))
        try PNG.write(Bitmap(width: 4, height: 4, red: 1, green: 2, blue: 3), to: atlas)
        do {
            _ = try Dataset.load("monsters", root: folder.path)
            Issue.record("a wrong atlas gave a data set")
        } catch let error as EngineError {
            #expect(error.place == atlas)
        }
    }
}
