import Files
import Tensors
import TestSupport
import Testing

@Suite("JPEG") struct JPEGTests {
    private static func folder() throws -> GoldenFolder { try Golden.laterTopic("jpeg") }

    @Test("every kind of file decodes to Pillow's pixels, exactly, whatever its ending") func decode() throws
    {
        let folder = try Self.folder(), files = try folder.files(ending: ".jpg")
        #expect(!files.isEmpty)
        for file in files {
            let bytes = try folder.bytes(file)
            let expected = try PNG.read(path: folder.path(file.dropLast(3) + "png"), alpha: .drop)
            let found = try PictureFile.decode(bytes, place: file)
            #expect([found.width, found.height] == [expected.width, expected.height], "\(file)")
            #expect(found.samples == expected.samples, "\(file)")
        }
    }

    @Test("a file that ends anywhere is an error that names it, or the whole picture") func cut() throws {
        let folder = try Self.folder()
        for file in ["baseline-420.jpg", "progressive-444.jpg", "grey.jpg", "cmyk.jpg", "orientation-6.jpg"] {
            let bytes = try folder.bytes(file), whole = try JPEG.decode(bytes, place: file)
            var refused = 0
            for count in 0..<bytes.count {
                do {
                    let found = try PictureFile.decode(Array(bytes.prefix(count)), place: file)
                    #expect(found == whole, "\(file), \(count) of \(bytes.count) bytes")
                } catch let error as EngineError {
                    refused += 1
                    #expect(error.place == file && error.message.hasPrefix("not a "), "\(error)")
                }
            }
            // Only the end marker, and bits that fill the last byte, may be missing.
            #expect(refused >= bytes.count - 8, "\(file)")
        }
    }

    @Test("65,500 pixels each way are refused before memory is asked for, and so are hundreds of scans")
    func large() throws {
        var bytes = try Self.folder().bytes("baseline-444.jpg")
        // The frame: marker, length, precision, height, width.
        let frame = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xff, 0xc0]) })
        bytes.replaceSubrange((frame + 5)..<(frame + 9), with: [0xff, 0xdc, 0xff, 0xdc])
        let error = #expect(throws: EngineError.self) { try JPEG.decode(bytes, place: "x") }
        #expect(error?.kind == .memory && error?.message.contains("65500 x 65500") == true)

        var progressive = try Self.folder().bytes("progressive-444.jpg")
        let scan = try #require(progressive.indices.last { progressive[$0...].starts(with: [0xff, 0xda]) })
        let last = Array(progressive[scan...].dropLast(2))
        progressive.removeLast(2)
        for _ in 0..<300 { progressive += last }
        #expect(throws: EngineError.self) { try JPEG.decode(progressive + [0xff, 0xd9], place: "x") }
    }

    @Test("an Exif segment of nonsense leaves the picture as it is stored") func nonsense() throws {
        let bytes = try Self.folder().bytes("orientation-6.jpg")
        let upright = try JPEG.decode(Self.folder().bytes("orientation-1.jpg"), place: "x")
        let exif = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("Exif\0\0".utf8)) }) + 6
        for (offset, change) in [
            (0, [0x58] as [UInt8]), (4, [0xff, 0xff, 0xff, 0xff]), (4, [0, 0, 0, 0]), (8, [0xff, 0xff]),
            (12, [7]), (12, [0xff]),
        ] {
            var damaged = bytes
            damaged.replaceSubrange((exif + offset)..<(exif + offset + change.count), with: change)
            let found = try JPEG.decode(damaged, place: "x")
            #expect(found == upright || found.width == upright.height, "\(offset): \(change)")
        }
    }

    @Test(
        "any bytes are a picture or an error",
        arguments: ["baseline-420", "progressive-422", "cmyk", "orientation-6"])
    func mutated(_ name: String) throws {
        try MutatedInputs.check("JPEG, \(name)", Self.folder().bytes(name + ".jpg")) { input in
            _ = try JPEG.decode(input, place: "x")
            return true
        }
    }

    @Test("pictures of other forms are named, with a way to convert them") func foreign() throws {
        let others: [(bytes: String, name: String)] = [
            ("GIF89a", "GIF"), ("RIFF\0\0\0\0WEBPVP8 ", "WebP"), ("BM\0\0", "BMP"), ("II*\0", "TIFF"),
            ("\0\0\0\u{20}ftypavif", "AVIF"),
            ("\0\0\0\u{18}ftypheic", "HEIF"), ("8BPS", "Photoshop"),
        ]
        for (bytes, name) in others {
            let error = #expect(throws: EngineError.self) {
                try PictureFile.decode(Array(bytes.utf8), place: "x")
            }
            #expect(
                error?.message.contains("it is a \(name) picture") == true
                    && error?.cure?.contains("magick") == true)
        }
        for (bytes, told) in [("", "empty"), ("hello", "a text"), ("\u{1}\u{2}", "does not begin as one")] {
            let error = #expect(throws: EngineError.self) {
                try PictureFile.decode(Array(bytes.utf8), place: "x")
            }
            #expect(error?.message.contains(told) == true)
        }
    }
}
