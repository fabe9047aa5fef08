internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The functions of the discrete cosine transform: of length one, at right angles, and all but that of order
/// 0 with a mean of zero.
enum CosineBasis {
    /// The cosine of order `order` at place `index` of `width`.
    static func value(_ order: Int, _ index: Int, width: Int) -> Float {
        Float(
            (2 / Double(width)).squareRoot()
                * cos(.pi * (Double(index) + 0.5) * Double(order) / Double(width)))
    }

    /// `[count, width]`: the functions 1 to `count`.
    static func rows(_ count: Int, width: Int) -> Tensor {
        Tensor(shape: [count, width]) { out in
            for row in 0..<count {
                for column in 0..<width { out[row * width + column] = value(row + 1, column, width: width) }
            }
        }
    }
}
