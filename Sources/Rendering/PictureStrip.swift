import Files

/// Pictures side by side as one raster with transparency, each in a box of equal size, enlarged by whole
/// pixels where they are small: what a terminal shows as one row of a grid.
struct PictureStrip {
    /// In pixels.
    let width: Int
    let height: Int
    /// [height, width, 4], not multiplied by alpha.
    private(set) var pixels: [UInt8]

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        pixels = [UInt8](repeating: 0, count: width * height * 4)
    }

    /// Draws `bitmap` into the box whose left edge is at `x`, as large as its proportions allow, at the box's
    /// top left.
    mutating func draw(_ bitmap: Bitmap, x: Int, boxWidth: Int, boxHeight: Int) {
        guard bitmap.width > 0, bitmap.height > 0, boxWidth > 0, boxHeight > 0 else { return }
        let scale = min(Double(boxWidth) / Double(bitmap.width), Double(boxHeight) / Double(bitmap.height))
        let shownWidth = min(boxWidth, max(1, Int((Double(bitmap.width) * scale).rounded())))
        let shownHeight = min(boxHeight, max(1, Int((Double(bitmap.height) * scale).rounded())))
        for row in 0..<min(shownHeight, height) {
            let top = row * bitmap.height / shownHeight
            let bottom = max(top + 1, (row + 1) * bitmap.height / shownHeight)
            for column in 0..<shownWidth where x + column < width {
                let left = column * bitmap.width / shownWidth
                let right = max(left + 1, (column + 1) * bitmap.width / shownWidth)
                put(
                    mean(of: bitmap, rows: top..<bottom, columns: left..<right),
                    at: (row * width + x + column) * 4)
            }
        }
    }

    private mutating func put(_ colour: [UInt8], at offset: Int) {
        for channel in 0..<4 { pixels[offset + channel] = colour[channel] }
    }

    /// The mean of a block, which is one pixel where the picture is enlarged: edges of sprites stay sharp.
    private func mean(of bitmap: Bitmap, rows: Range<Int>, columns: Range<Int>) -> [UInt8] {
        var sum = [0, 0, 0, 0]
        for row in rows {
            for column in columns {
                let start = (row * bitmap.width + column) * bitmap.channels
                for channel in 0..<4 {
                    sum[channel] += channel < bitmap.channels ? Int(bitmap.samples[start + channel]) : 255
                }
            }
        }
        let count = rows.count * columns.count
        return sum.map { UInt8(clamping: ($0 + count / 2) / count) }
    }
}
