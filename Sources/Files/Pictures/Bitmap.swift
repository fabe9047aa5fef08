/// A picture of 8-bit samples: rows from the top, pixels from the left, channels together (RGB or RGBA, alpha
/// not premultiplied).
package struct Bitmap: Sendable, Hashable {
    package let width: Int
    package let height: Int
    /// 3 for RGB, 4 for RGBA.
    package let channels: Int
    /// `height * width * channels` samples.
    package private(set) var samples: [UInt8]

    package init(width: Int, height: Int, channels: Int, samples: [UInt8]) {
        precondition(
            width > 0 && height > 0 && (channels == 3 || channels == 4),
            "\(width) x \(height) x \(channels) is no picture")
        precondition(
            samples.count == width * height * channels,
            "\(width) x \(height) x \(channels) samples expected, \(samples.count) given")
        self.width = width
        self.height = height
        self.channels = channels
        self.samples = samples
    }

    /// A picture of one colour.
    package init(width: Int, height: Int, red: UInt8, green: UInt8, blue: UInt8) {
        self.init(
            width: width, height: height, channels: 3,
            samples: (0..<(width * height)).flatMap { _ in [red, green, blue] })
    }

    /// The channels of one pixel.
    package subscript(x: Int, y: Int) -> ArraySlice<UInt8> {
        let start = (y * width + x) * channels
        return samples[start..<(start + channels)]
    }

    /// RGB, with the transparent parts on white: `(colour * alpha + 255 * (255 - alpha)) / 255`, rounded.
    package var onWhite: Bitmap {
        guard channels == 4 else { return self }
        return withRGB { source, alpha in
            let mixed = UInt32(source) * UInt32(alpha) + 255 * (255 - UInt32(alpha))
            return UInt8((mixed + 127) / 255)
        }
    }

    /// RGB without the alpha channel, as it lies underneath.
    package var withoutAlpha: Bitmap {
        guard channels == 4 else { return self }
        return withRGB { source, _ in source }
    }

    private func withRGB(_ body: (UInt8, UInt8) -> UInt8) -> Bitmap {
        var rgb: [UInt8] = []
        rgb.reserveCapacity(width * height * 3)
        for i in stride(from: 0, to: samples.count, by: 4) {
            for channel in 0..<3 { rgb.append(body(samples[i + channel], samples[i + 3])) }
        }
        return Bitmap(width: width, height: height, channels: 3, samples: rgb)
    }

    /// A part of the picture, which must lie inside.
    package func cropped(x: Int, y: Int, width: Int, height: Int) -> Bitmap {
        precondition(
            x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= self.width
                && y + height <= self.height,
            "\(width) x \(height) at \(x), \(y) is outside \(self.width) x \(self.height)")
        var part: [UInt8] = []
        part.reserveCapacity(width * height * channels)
        for row in y..<(y + height) {
            let start = (row * self.width + x) * channels
            part.append(contentsOf: samples[start..<(start + width * channels)])
        }
        return Bitmap(width: width, height: height, channels: channels, samples: part)
    }

    /// Each pixel as a square of `factor` x `factor`.
    package func zoomed(_ factor: Int) -> Bitmap {
        precondition(factor > 0, "zoom by \(factor)")
        if factor == 1 { return self }
        var zoomed: [UInt8] = []
        zoomed.reserveCapacity(samples.count * factor * factor)
        for y in 0..<height {
            var row: [UInt8] = []
            row.reserveCapacity(width * factor * channels)
            for x in 0..<width {
                let pixel = self[x, y]
                for _ in 0..<factor { row.append(contentsOf: pixel) }
            }
            for _ in 0..<factor { zoomed.append(contentsOf: row) }
        }
        return Bitmap(width: width * factor, height: height * factor, channels: channels, samples: zoomed)
    }
}
