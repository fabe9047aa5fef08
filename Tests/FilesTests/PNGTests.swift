import Files
import Tensors
import TestSupport
import Testing

@Suite("PNG")
struct PNGTests {
    @Test("every kind of file decodes to the reference's pixels, exactly")
    func decode() throws {
        let images = try Golden.topic("images")
        let expected = try images.tensors("decode.safetensors")
        let kinds = try #require(try images.json("decode.json")["kinds"]?.object)
        #expect(!kinds.isEmpty)
        for kind in kinds.keys.sorted() {
            let path = try images.folder("png").path(kind + ".png")
            let size = try #require(kinds[kind]?["size"]?.ints)
            #expect(try PNG.size(path: path) == (size[0], size[1]))
            let rgb = try PNG.read(path: path, alpha: .drop)
            #expect([rgb.width, rgb.height] == size)
            #expect(try rgb.samples.map(Int.init) == expected.integers(kind + ".rgb"), "\(kind)")
            let rgba = try PNG.read(path: path, alpha: .keep)
            #expect(rgba.channels == 4)
            if expected.contains(kind + ".rgba") {
                #expect(try rgba.samples.map(Int.init) == expected.integers(kind + ".rgba"), "\(kind)")
            } else {
                #expect(
                    stride(from: 3, to: rgba.samples.count, by: 4).allSatisfy { rgba.samples[$0] == 255 },
                    "\(kind)")
            }
            #expect(try PNG.read(path: path) == rgba.onWhite, "\(kind)")
        }
    }

    @Test("on white, opaque pixels stay, transparent ones are white, and the rest is between")
    func onWhite() {
        let source = Bitmap(
            width: 4, height: 1, channels: 4,
            samples: [10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128, 0, 0, 0, 1])
        // 255 - 128 = 127; 100 x 128 / 255 + 127 = 177.2; 255 - 1 = 254
        #expect(source.onWhite.samples == [10, 20, 30, 255, 255, 255, 127, 177, 255, 254, 254, 254])
        #expect(source.withoutAlpha.samples == [10, 20, 30, 10, 20, 30, 0, 100, 255, 0, 0, 0])
    }

    @Test("damaged files are refused or read as the list says, and the error names the file")
    func corrupt() throws {
        let images = try Golden.topic("images")
        let list = try #require(try images.json("corrupt.json").object)
        #expect(!list.isEmpty)
        for name in list.keys.sorted() {
            let path = try images.folder("corrupt").path(name)
            let should = try #require(list[name]?["engine_should"]?.string)
            do {
                _ = try PNG.read(path: path)
                #expect(!should.hasPrefix("reject") || should.contains("decode"), "\(name) was read")
            } catch let error as EngineError {
                #expect(should != "accept", "\(error)")
                #expect(error.place == path)
            }
        }
    }

    @Test("a header of 60,000 x 60,000 is an error with the size and the limit")
    func hugeHeader() throws {
        let temporary = try TemporaryFolder()
        var bytes = try PNG.encode(Bitmap(width: 1, height: 1, red: 0, green: 0, blue: 0))
        bytes.replaceSubrange(16..<24, with: [0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60])
        bytes.replaceSubrange(29..<33, with: crc(bytes[12..<29]))
        let path = temporary.path("huge.png")
        try AtomicFile.write(bytes, to: path)
        let error = #expect(throws: EngineError.self) { try PNG.read(path: path) }
        #expect(error?.message.contains("60000 x 60000") == true)
        #expect(error?.message.contains(String(PictureForm.mostPixels)) == true)
    }

    @Test("a size within the limit that the file is too short for is refused before memory is asked for")
    func emptyPromise() throws {
        var bytes = try PNG.encode(Bitmap(width: 1, height: 1, red: 0, green: 0, blue: 0))
        bytes.replaceSubrange(16..<24, with: [0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10])
        bytes.replaceSubrange(29..<33, with: crc(bytes[12..<29]))
        let error = #expect(throws: EngineError.self) { try PNG.decode(bytes, place: "memory") }
        #expect(error?.message.contains("too few bytes") == true)
    }

    @Test("what is written is read back", arguments: [3, 4])
    func roundTrip(channels: Int) throws {
        var random = SmallGenerator(seed: UInt64(channels))
        for (width, height) in [(1, 1), (1, 40), (17, 3), (64, 64)] {
            let bitmap = Bitmap(
                width: width, height: height, channels: channels,
                samples: (0..<(width * height * channels)).map { _ in UInt8(truncatingIfNeeded: random.next())
                })
            let bytes = try PNG.encode(bitmap)
            #expect(try PNG.decode(bytes, alpha: channels == 4 ? .keep : .drop, place: "memory") == bitmap)
            #expect(try PNG.encode(bitmap) == bytes)
        }
    }

    @Test("text chunks are read back, Latin-1 and others")
    func text() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.path("note.png")
        let notes = [
            ("recipe", "noise at=60\ndenoise"), ("Prompt", "un château"), ("Title", "龍 🐉"), ("empty", ""),
        ]
        try PNG.write(Bitmap(width: 2, height: 2, red: 1, green: 2, blue: 3), text: notes, to: path)
        let found = try PNG.text(path: path)
        #expect(found.map(\.key) == notes.map(\.0))
        #expect(found.map(\.value) == notes.map(\.1))
        #expect(throws: EngineError.self) {
            try PNG.encode(Bitmap(width: 1, height: 1, red: 0, green: 0, blue: 0), text: [("", "x")])
        }
        #expect(throws: EngineError.self) {
            try PNG.encode(Bitmap(width: 1, height: 1, red: 0, green: 0, blue: 0), text: [("k", "a\0b")])
        }
    }

    @Test("a file cut or changed anywhere never traps")
    func damage() throws {
        let images = try Golden.topic("images").folder("png")
        var random = SmallGenerator(seed: 3)
        var refused = 0
        for name in try images.files(ending: ".png") {
            let bytes = try images.bytes(name)
            for count in stride(from: 0, to: bytes.count, by: 7) {
                if (try? PNG.decode(Array(bytes.prefix(count)), place: name)) == nil { refused += 1 }
            }
            for _ in 0..<200 {
                var changed = bytes
                // Chunk checksums are left to fail; the first 33 bytes, signature and header, are hit most.
                changed[random.next(below: random.next(below: 2) == 0 ? min(33, bytes.count) : bytes.count)] =
                    UInt8(truncatingIfNeeded: random.next())
                _ = try? PNG.decode(changed, place: name)
            }
        }
        #expect(refused > 0)
    }

    @Test("changes that keep the checksums right never trap")
    func deepDamage() throws {
        let images = try Golden.topic("images").folder("png")
        var random = SmallGenerator(seed: 4)
        var read = 0
        var refused = 0
        for name in try images.files(ending: ".png") {
            let bytes = try images.bytes(name)
            for _ in 0..<150 {
                var changed = bytes
                let (start, length) = chunks(changed)[random.next(below: chunks(changed).count)]
                // Type and content of the chunk, not its length.
                changed[start + 4 + random.next(below: length + 4)] = UInt8(truncatingIfNeeded: random.next())
                changed.replaceSubrange(
                    (start + 8 + length)..<(start + 12 + length),
                    with: crc(changed[(start + 4)..<(start + 8 + length)]))
                if (try? PNG.decode(changed, alpha: .keep, place: name)) == nil {
                    refused += 1
                } else {
                    read += 1
                }
            }
        }
        #expect(refused > 0 && read > 0)
    }

    /// Where each chunk begins, and the length of its content.
    private func chunks(_ bytes: [UInt8]) -> [(start: Int, length: Int)] {
        var found: [(Int, Int)] = []
        var place = 8
        while place + 12 <= bytes.count {
            let length = bytes[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
            found.append((place, length))
            place += length + 12
        }
        return found
    }

    /// CRC-32 as PNG chunks carry it, for headers made here.
    private func crc(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var sum: UInt32 = 0xffff_ffff
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
        }
        sum = ~sum
        return [UInt8(sum >> 24), UInt8(sum >> 16 & 255), UInt8(sum >> 8 & 255), UInt8(sum & 255)]
    }
}
