internal import Files
package import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// What a picture looks like in a few numbers that need no training: a thumbnail of 8 x 8 pixels, a histogram
/// of 4 x 4 x 4 colours and the silhouette of what is not white, in the main directions of the training
/// pictures. On a thousand pictures a contrastive loss alone learns the pictures by heart; told to agree with
/// these numbers, both towers generalise (figures in the article `Training`).
package struct Appearance: Sendable {
    static let side = 8
    static let levels = 4
    private static let thumbnail = 3 * side * side
    private static let histogram = levels * levels * levels
    private static let silhouette = side * side
    private static let parts = [
        0..<thumbnail, thumbnail..<thumbnail + histogram,
        thumbnail + histogram..<thumbnail + histogram + silhouette,
    ]
    private static var width: Int { parts.last?.upperBound ?? 0 }

    private let mean: [Double]
    /// Per raw number: so that each of the three parts has the same variance in all.
    private let scale: [Double]
    /// `[width, directions]` by row, already divided by a power of the spread along the direction.
    private let projection: [[Double]]

    package let directions: Int

    /// - Parameter pictures: each `[3, height, width]` in 0...1.
    package init(of pictures: [Tensor], directions: Int) {
        let raw = pictures.map(Self.raw)
        let count = Double(max(1, raw.count))
        let width = Self.width
        let mean = (0..<width).map { column in raw.reduce(0) { $0 + $1[column] } / count }
        var scale = [Double](repeating: 1, count: width)
        for part in Self.parts {
            let variance =
                raw.reduce(0) { sum, row in
                    part.reduce(sum) { $0 + (row[$1] - mean[$1]) * (row[$1] - mean[$1]) }
                } / count
            for column in part { scale[column] = 1 / max(variance.squareRoot(), 1e-9) }
        }
        var covariance = [[Double]](repeating: [Double](repeating: 0, count: width), count: width)
        for row in raw {
            let centred = (0..<width).map { (row[$0] - mean[$0]) * scale[$0] }
            for i in 0..<width where centred[i] != 0 {
                for j in i..<width { covariance[i][j] += centred[i] * centred[j] / count }
            }
        }
        for i in 0..<width { for j in 0..<i { covariance[i][j] = covariance[j][i] } }
        let main = PrincipalDirections(covariance, count: min(directions, width))
        // Whitened in part: the first directions are the surest to be told from words, yet should not drown
        // the others.
        let factors = main.variances.map { pow($0, -0.375) }
        projection = main.directions.enumerated().map { index, direction in
            direction.map { $0 * factors[index] }
        }
        self.mean = mean
        self.scale = scale
        self.directions = main.directions.count
    }

    /// `[directions]` of a picture `[3, height, width]` in 0...1.
    package func callAsFunction(_ picture: Tensor) -> [Float] {
        let raw = Self.raw(picture)
        let centred = (0..<Self.width).map { (raw[$0] - mean[$0]) * scale[$0] }
        return projection.map { direction in Float(zip(direction, centred).reduce(0) { $0 + $1.0 * $1.1 }) }
    }

    private static func raw(_ picture: Tensor) -> [Double] {
        let height = picture.shape[1], width = picture.shape[2]
        let area = height * width
        var result = [Double](repeating: 0, count: Self.width)
        var cells = [Double](repeating: 0, count: silhouette)
        picture.withUnsafePointer { source in
            for y in 0..<height {
                for x in 0..<width {
                    let at = y * width + x
                    let cell = y * side / height * side + x * side / width
                    var darkest: Float = 1
                    var bin = 0
                    for channel in 0..<3 {
                        let value = min(max(source[channel * area + at], 0), 1)
                        result[channel * silhouette + cell] += Double(value)
                        darkest = min(darkest, value)
                        bin = bin * levels + min(Int(value * Float(levels)), levels - 1)
                    }
                    result[thumbnail + bin] += 1 / Double(area)
                    if darkest < 0.97 { result[thumbnail + histogram + cell] += 1 }
                    cells[cell] += 1
                }
            }
        }
        for cell in 0..<silhouette {
            let count = max(1, cells[cell])
            for channel in 0..<3 { result[channel * silhouette + cell] /= count }
            result[thumbnail + histogram + cell] /= count
        }
        return result
    }
}
