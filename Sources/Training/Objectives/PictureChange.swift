package import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Pictures seen in other ways: mirrored, moved by a few pixels on white, in other colours.
package struct PictureChange: Sendable, Hashable {
    /// Whether half of the pictures are mirrored.
    package var mirrors: Bool
    /// Pixels that a picture is moved at most, each way.
    package var shift: Int
    /// Share of the pictures whose colour channels change places and whose contrast changes.
    package var recolour: Double

    package init(mirrors: Bool = true, shift: Int = 0, recolour: Double = 0) {
        self.mirrors = mirrors
        self.shift = shift
        self.recolour = recolour
    }

    /// What happens to one picture.
    package struct Draw: Sendable {
        package var isMirrored = false
        package var dx = 0
        package var dy = 0
        package var channels = [0, 1, 2]
        package var gamma: Float = 1

        package init(isMirrored: Bool = false) { self.isMirrored = isMirrored }
    }

    package func draw(_ generator: inout Generator) -> Draw {
        let numbers = generator.uniformDoubles(count: 6)
        var draw = Draw()
        draw.isMirrored = mirrors && numbers[0] < 0.5
        if shift > 0 {
            draw.dx = Int(numbers[1] * Double(2 * shift + 1)) - shift
            draw.dy = Int(numbers[2] * Double(2 * shift + 1)) - shift
        }
        if numbers[3] < recolour {
            draw.channels = generator.permutation(3)
            draw.gamma = Float(exp2((numbers[4] - 0.5) * 1.5))
        }
        return draw
    }

    /// A picture `[3, height, width]` in 0...1, changed.
    package static func apply(_ draw: Draw, to picture: Tensor) -> Tensor {
        let height = picture.shape[1], width = picture.shape[2]
        return picture.withUnsafePointer { source in
            Tensor(shape: picture.shape) { out in
                for channel in 0..<3 {
                    let from = source + draw.channels[channel] * height * width,
                        to = out + channel * height * width
                    for y in 0..<height {
                        let sy = y - draw.dy
                        for x in 0..<width {
                            let moved = x - draw.dx
                            let sx = draw.isMirrored ? width - 1 - moved : moved
                            let isInside = sy >= 0 && sy < height && moved >= 0 && moved < width
                            let value = isInside ? from[sy * width + sx] : 1
                            to[y * width + x] = draw.gamma == 1 ? value : powf(max(value, 0), draw.gamma)
                        }
                    }
                }
            }
        }
    }
}
