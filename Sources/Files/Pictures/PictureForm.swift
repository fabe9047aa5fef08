internal import Tensors

/// A form of files that pictures are read from. It is told by the first bytes: endings are often wrong.
///
/// Another one is a file of its own beside `PNG.swift` and `JPEG.swift` with an extension like theirs, and a
/// place in `all`.
package struct PictureForm: Sendable {
    package let name: String
    /// Usual endings of file names, in lower case.
    package let endings: [String]
    /// Whether a file that begins so is one.
    let begins: @Sendable (_ bytes: [UInt8]) -> Bool
    /// RGB, transparent parts on white; `place` is what an error names.
    let decode: @Sendable (_ bytes: [UInt8], _ place: String) throws -> Bitmap

    package static let all: [PictureForm] = [.png, .jpeg]

    /// More pixels are refused before memory is asked for; 100 million take 300 MB as RGB.
    package static let mostPixels = 100_000_000

    static func tooLarge(_ width: some BinaryInteger, _ height: some BinaryInteger, _ place: String)
        -> EngineError
    {
        EngineError(
            .memory,
            """
            the picture is too large: its header gives \(width) x \(height) pixels, at most \
            \(mostPixels) are read
            """,
            place: place, cure: "scale it down first")
    }
}

/// Pictures of any form that is read.
package enum PictureFile {
    package static func read(path: String) throws -> Bitmap {
        try decode(FileSystem.readBytes(path), place: path)
    }

    /// `place` is what an error names.
    package static func decode(_ bytes: [UInt8], place: String) throws -> Bitmap {
        guard let form = PictureForm.all.first(where: { $0.begins(bytes) }) else {
            throw foreign(bytes, place)
        }
        return try form.decode(bytes, place)
    }

    /// Pictures that others read, and what people take for pictures.
    private static func foreign(_ bytes: [UInt8], _ place: String) -> EngineError {
        let names = PictureForm.all.map(\.name).joined(separator: " and ")
        if let other = other(bytes) {
            return EngineError(
                .format, "not a picture that is read: it is a \(other) picture", place: place,
                cure: "\(names) are read; convert it, for example by `magick FILE FILE.png`")
        }
        return EngineError(
            .format, "not a usable picture: \(defect(bytes))", place: place, cure: "\(names) are read")
    }

    private static func other(_ bytes: [UInt8]) -> String? {
        func holds(_ text: String, at place: Int = 0) -> Bool {
            bytes.dropFirst(place).starts(with: text.utf8)
        }
        if holds("GIF8") { return "GIF" }
        if holds("RIFF"), holds("WEBP", at: 8) { return "WebP" }
        if holds("BM") { return "BMP" }
        if holds("II*\0") || holds("MM\0*") { return "TIFF" }
        if holds("ftypavif", at: 4) || holds("ftypavis", at: 4) { return "AVIF" }
        if holds("ftyphei", at: 4) || holds("ftypmif1", at: 4) { return "HEIF" }
        if bytes.starts(with: [0xff, 0x0a]) || holds("\0\0\0\u{0c}JXL ") { return "JPEG XL" }
        if holds("8BPS") { return "Photoshop" }
        return nil
    }

    private static func defect(_ bytes: [UInt8]) -> String {
        if bytes.isEmpty { return "the file is empty" }
        if PNG.signature.starts(with: bytes) { return "the file is cut short" }
        if bytes.starts(with: PNG.signature.prefix(4)) {
            return "its first bytes are damaged, as by a copy in text mode"
        }
        let isText = bytes.prefix(512).allSatisfy {
            $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d
        }
        return isText ? "it is a text" : "it does not begin as one"
    }
}
