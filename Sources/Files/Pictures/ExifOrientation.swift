/// How a camera was held: which of the eight turns and mirrorings makes a stored picture upright (Exif 2.32,
/// tag 0x0112).
enum ExifOrientation: Int {
    case upright = 1, mirrored, turnedHalf, mirroredVertically, transposed, turnedRight, transversed,
        turnedLeft

    /// As a JPEG's first Exif segment says; what cannot be read says nothing, so the picture is taken as it
    /// is stored.
    init(jpeg bytes: [UInt8]) {
        self = Self.exif(jpeg: bytes).flatMap(Self.init(tiff:)) ?? .upright
    }

    /// Whether width and height change places.
    var isSideways: Bool { rawValue >= Self.transposed.rawValue }

    /// The TIFF structure in the segment, which are the segments before the first scan.
    private static func exif(jpeg bytes: [UInt8]) -> ArraySlice<UInt8>? {
        var place = 2
        while place + 4 <= bytes.count, bytes[place] == 0xff {
            let marker = bytes[place + 1]
            // Padding between segments.
            if marker == 0xff {
                place += 1
                continue
            }
            let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3]), end = place + 2 + length
            guard length >= 2, end <= bytes.count, marker != 0xda else { return nil }
            let content = bytes[(place + 4)..<end]
            if marker == 0xe1, content.starts(with: Array("Exif\0\0".utf8)) { return content.dropFirst(6) }
            place = end
        }
        return nil
    }

    /// The entry of the first directory.
    private init?(tiff: ArraySlice<UInt8>) {
        let isLittle = tiff.starts(with: Array("II*\0".utf8))
        guard isLittle || tiff.starts(with: Array("MM\0*".utf8)) else { return nil }
        func number(_ offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset + count <= tiff.count else { return nil }
            let part = tiff[(tiff.startIndex + offset)..<(tiff.startIndex + offset + count)]
            return isLittle
                ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
        for entry in (0..<count).map({ directory + 2 + 12 * $0 }) {
            guard let tag = number(entry, 2) else { return nil }
            guard tag == 0x0112 else { continue }
            // A short by the standard; some write another kind of whole number.
            let size = [1: 1, 3: 2, 4: 4][number(entry + 2, 2) ?? 0]
            guard let size, let value = number(entry + 8, size) else { return nil }
            self.init(rawValue: value)
            return
        }
        return nil
    }
}

extension Bitmap {
    /// Upright, as stored with that orientation.
    func turned(_ orientation: ExifOrientation) -> Bitmap {
        if orientation == .upright { return self }
        let (wide, high) = orientation.isSideways ? (height, width) : (width, height)
        var turned: [UInt8] = []
        turned.reserveCapacity(samples.count)
        for y in 0..<high {
            for x in 0..<wide {
                let (right, below) = (width - 1, height - 1)
                let source: (x: Int, y: Int) =
                    switch orientation {
                    case .upright: (x, y)
                    case .mirrored: (right - x, y)
                    case .turnedHalf: (right - x, below - y)
                    case .mirroredVertically: (x, below - y)
                    case .transposed: (y, x)
                    case .turnedRight: (y, below - x)
                    case .transversed: (right - y, below - x)
                    case .turnedLeft: (right - y, x)
                    }
                turned.append(contentsOf: self[source.x, source.y])
            }
        }
        return Bitmap(width: wide, height: high, channels: channels, samples: turned)
    }
}
