/// Resizing of 8-bit pictures as Pillow does it (`Image.resize`, whole source, no reducing gap), bit for bit:
/// two passes, one along the rows and one along the columns, 22-bit fixed-point weights, rounded to 8 bits
/// between the passes; RGBA is multiplied by its alpha before and divided after.
extension Bitmap {
    package func resized(width: Int, height: Int, filter: ResizeFilter) -> Bitmap {
        precondition(width > 0 && height > 0, "cannot resize to \(width) x \(height)")
        if width == self.width, height == self.height { return self }
        if filter == .nearest { return nearest(width: width, height: height) }
        let source = channels == 4 ? premultiplied : self
        // Which pass comes first shows in the rounding. Pillow 13 begins with the columns under this rule,
        // found by comparing 2,300 random sizes with it; before, the rows were always first.
        let columnsFirst = height < self.height && self.height - height > 2 * (self.width - width)
        let both =
            columnsFirst
            ? source.resampledColumns(to: height, filter: filter).resampledRows(to: width, filter: filter)
            : source.resampledRows(to: width, filter: filter).resampledColumns(to: height, filter: filter)
        return channels == 4 ? both.unpremultiplied : both
    }

    /// The source coordinate is accumulated in steps, as the reference does, and not computed from the index:
    /// the rounding differs.
    private func nearest(width: Int, height: Int) -> Bitmap {
        func places(_ source: Int, _ target: Int) -> [Int] {
            let step = Double(source) / Double(target)
            var place = step * 0.5
            return (0..<target).map { _ in
                defer { place += step }
                return min(Int(place), source - 1)
            }
        }
        let columns = places(self.width, width)
        var out: [UInt8] = []
        out.reserveCapacity(width * height * channels)
        for y in places(self.height, height) {
            for x in columns { out.append(contentsOf: self[x, y]) }
        }
        return Bitmap(width: width, height: height, channels: channels, samples: out)
    }

    private func resampledRows(to target: Int, filter: ResizeFilter) -> Bitmap {
        if target == width { return self }
        let weights = ResizeWeights(from: width, to: target, filter: filter)
        let fixed = weights.fixed
        let (channels, width, height) = (channels, width, height)
        let out = [UInt8](unsafeUninitializedCapacity: target * height * channels) { out, count in
            samples.withUnsafeBufferPointer { source in
                for y in 0..<height {
                    for x in 0..<target {
                        let start = (y * width + weights.first[x]) * channels
                        for channel in 0..<channels {
                            var sum = Self.half
                            for i in 0..<weights.counts[x] {
                                sum &+=
                                    Int32(source[start + i * channels + channel])
                                    &* fixed[x * weights.stride + i]
                            }
                            out[(y * target + x) * channels + channel] = Self.clipped(sum)
                        }
                    }
                }
            }
            count = target * height * channels
        }
        return Bitmap(width: target, height: height, channels: channels, samples: out)
    }

    private func resampledColumns(to target: Int, filter: ResizeFilter) -> Bitmap {
        if target == height { return self }
        let weights = ResizeWeights(from: height, to: target, filter: filter)
        let fixed = weights.fixed
        let row = width * channels
        let out = [UInt8](unsafeUninitializedCapacity: target * row) { out, count in
            samples.withUnsafeBufferPointer { source in
                for y in 0..<target {
                    let start = weights.first[y] * row
                    for x in 0..<row {
                        var sum = Self.half
                        for i in 0..<weights.counts[y] {
                            sum &+= Int32(source[start + i * row + x]) &* fixed[y * weights.stride + i]
                        }
                        out[y * row + x] = Self.clipped(sum)
                    }
                }
            }
            count = target * row
        }
        return Bitmap(width: width, height: target, channels: channels, samples: out)
    }

    private static var half: Int32 { 1 << 21 }

    private static func clipped(_ sum: Int32) -> UInt8 { UInt8(max(0, min(255, sum >> 22))) }

    private var premultiplied: Bitmap {
        changingColours { colour, alpha in
            // colour x alpha / 255, rounded, without a division
            let product = UInt32(colour) * UInt32(alpha) + 128
            return UInt8(((product >> 8) + product) >> 8)
        }
    }

    private var unpremultiplied: Bitmap {
        changingColours { colour, alpha in
            alpha == 0 || alpha == 255 ? colour : UInt8(min(255, 255 * UInt32(colour) / UInt32(alpha)))
        }
    }

    private func changingColours(_ body: (UInt8, UInt8) -> UInt8) -> Bitmap {
        var changed = samples
        for i in stride(from: 0, to: changed.count, by: 4) {
            for channel in 0..<3 { changed[i + channel] = body(changed[i + channel], changed[i + 3]) }
        }
        return Bitmap(width: width, height: height, channels: channels, samples: changed)
    }
}
