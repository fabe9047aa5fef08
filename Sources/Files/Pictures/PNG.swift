internal import CPictures
internal import Tensors

/// Reading of PNG files of every colour type and depth, interlaced or not. libpng does the decoding; samples
/// become 8-bit RGB(A) as Pillow's `convert` makes them. Gamma and colour profiles are ignored, as there.
package enum PNG {
    /// What becomes of transparency: an alpha channel, a transparent colour, a palette's alpha.
    package enum Alpha: Sendable, CaseIterable {
        /// RGB on white: how the product shows pictures to models.
        case onWhite
        /// RGBA; 16-bit samples keep their high byte.
        case keep
        /// RGB as Pillow's `convert("RGB")`, bit for bit: transparency is dropped, and 16-bit grey above 255
        /// becomes white.
        case drop
    }

    static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

    package static func read(path: String, alpha: Alpha = .onWhite) throws -> Bitmap {
        try decode(FileSystem.readBytes(path), alpha: alpha, place: path)
    }

    /// `place` is what an error names.
    package static func decode(_ bytes: [UInt8], alpha: Alpha = .onWhite, place: String) throws -> Bitmap {
        try withPicture(bytes, place: place) { picture in
            let samples = PNGSamples(picture)
            switch alpha {
            case .drop: return samples.bitmap(channels: 3, clippingGrey: true)
            case .keep: return samples.bitmap(channels: 4, clippingGrey: false)
            case .onWhite:
                return samples.hasAlpha
                    ? samples.bitmap(channels: 4, clippingGrey: false).onWhite
                    : samples.bitmap(channels: 3, clippingGrey: false)
            }
        }
    }

    /// The text chunks of a file, in order.
    package static func text(path: String) throws -> [(key: String, value: String)] {
        try withPicture(FileSystem.readBytes(path), place: path) { picture in
            guard let start = picture.text else { return [] }
            var notes: [(key: String, value: String)] = []
            var rest = UnsafeBufferPointer(start: start, count: picture.text_bytes)[...]
            while let international = rest.popFirst() {
                let key = rest.prefix { $0 != 0 }
                rest = rest.dropFirst(key.count + 1)
                let value = rest.prefix { $0 != 0 }
                rest = rest.dropFirst(value.count + 1)
                notes.append(
                    (latin(key), international == 1 ? String(decoding: value, as: UTF8.self) : latin(value)))
            }
            return notes
        }
    }

    /// Width and height from the header alone, without reading the pixels.
    package static func size(path: String) throws -> (width: Int, height: Int) {
        let head = try FileSystem.readPrefix(path, count: 24)
        if let defect = defect(head) { throw damaged(path, defect) }
        guard head.count == 24, Array(head[12..<16]) == Array("IHDR".utf8) else {
            throw damaged(path, "the file is cut short")
        }
        func number(_ at: Int) -> Int { head[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) } }
        let (width, height) = (number(16), number(20))
        guard width > 0, height > 0, width <= Int(Int32.max), height <= Int(Int32.max) else {
            throw damaged(path, "a size of \(width) x \(height)")
        }
        return (width, height)
    }

    private static func withPicture<R>(_ bytes: [UInt8], place: String, _ body: (nb_png_picture) throws -> R)
        throws -> R
    {
        if let defect = defect(bytes) { throw damaged(place, defect) }
        var picture = nb_png_picture()
        let failed = bytes.withUnsafeBufferPointer {
            nb_png_read($0.baseAddress, $0.count, UInt64(PictureForm.mostPixels), &picture)
        }
        defer { nb_png_free(&picture) }
        if failed != 0 {
            let (width, height) = (UInt64(picture.width), UInt64(picture.height))
            if width * height > UInt64(PictureForm.mostPixels) {
                throw PictureForm.tooLarge(width, height, place)
            }
            let message = withUnsafeBytes(of: picture.message) { latin($0.prefix { $0 != 0 }) }
            throw damaged(place, message)
        }
        return try body(picture)
    }

    /// What is wrong with a file that does not begin as a PNG does; nil for one that does.
    private static func defect(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: signature) { return nil }
        return bytes.isEmpty
            ? "the file is empty"
            : signature.starts(with: bytes) ? "the file is cut short" : "it does not begin as one"
    }

    private static func latin(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        return text
    }

    static func damaged(_ place: String, _ message: String) -> EngineError {
        EngineError(.format, "not a usable PNG picture: \(message)", place: place)
    }
}

extension PictureForm {
    static let png = PictureForm(
        name: "PNG", endings: ["png"], begins: { $0.starts(with: PNG.signature) },
        decode: { try PNG.decode($0, place: $1) })
}
