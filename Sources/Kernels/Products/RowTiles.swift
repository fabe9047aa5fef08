internal import CProcessor
internal import WideKernels

/// Rows as tiles of the sizes that the inner loops take; the last tile may repeat its last row to be full.
/// Which loop a row falls to changes no bit of its result.
struct RowTiles {
    private let leading: Int
    private let leadingSize: Int
    private let trailing: Int
    private let trailingSize: Int

    init(rows: Int, wide: Bool = RowTiles.wide) {
        if wide {
            let rest = rows % 12
            (leading, leadingSize) = (rest > 8 ? rows / 12 + 1 : rows / 12, 12)
            (trailing, trailingSize) = (rest == 0 || rest > 8 ? 0 : 1, rest > 4 ? 8 : 4)
        } else {
            leadingSize = 6
            trailingSize = 4
            let sixes = rows / 6
            switch rows % 6 {
            case 0: (leading, trailing) = (sixes, 0)
            // 6 + 2 rows are cheaper as 4 + 4.
            case 1, 2: (leading, trailing) = sixes > 0 ? (sixes - 1, 2) : (0, 1)
            case 3, 4: (leading, trailing) = (sixes, 1)
            default: (leading, trailing) = (sixes + 1, 0)
            }
        }
    }

    var rows: Int { leading * leadingSize + trailing * trailingSize }
    var count: Int { leading + trailing }
    func start(_ tile: Int) -> Int {
        tile <= leading ? tile * leadingSize : leading * leadingSize + (tile - leading) * trailingSize
    }
    /// The first tiles as far as they have 12 rows.
    var twelves: Int { leadingSize == 12 ? leading : 0 }
    func size(_ tile: Int) -> Int { tile < leading ? leadingSize : trailingSize }

    /// Whether the processor has 512-bit vectors. `NOISEBOOK_KERNELS=narrow` does without them.
    static let wide = nb_processor_has_wide_vectors() == 1 && KernelChoice.current != .narrow
}

/// The inner loop for a tile of `size` rows, one that `RowTiles` gave. Arguments as in `panelProduct6`.
@inline(__always)
func panelProduct(
    _ size: Int, segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>,
    initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    switch (RowTiles.wide, size) {
    case (true, 12):
        widePanelProduct12(
            segments: segments, length: length, offset: offset, rows: rows, panel: panel, initial: initial,
            out: out, stride: stride)
    case (true, 8):
        widePanelProduct8(
            segments: segments, length: length, offset: offset, rows: rows, panel: panel, initial: initial,
            out: out, stride: stride)
    case (true, _):
        widePanelProduct4(
            segments: segments, length: length, offset: offset, rows: rows, panel: panel, initial: initial,
            out: out, stride: stride)
    case (false, 6):
        panelProduct6(
            segments: segments, length: length, offset: offset, rows: rows, panel: panel, initial: initial,
            out: out, stride: stride)
    case (false, _):
        panelProduct4(
            segments: segments, length: length, offset: offset, rows: rows, panel: panel, initial: initial,
            out: out, stride: stride)
    }
}

/// The inner loop for two panels side by side; only where `RowTiles.wide`. Arguments as in
/// `widePairProduct12`.
@inline(__always)
func pairProduct(
    _ size: Int, segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>, step: Int,
    ahead: UnsafePointer<Float>, pace: Int, initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>,
    stride: Int
) {
    switch size {
    case 12:
        widePairProduct12(
            segments: segments, length: length, offset: offset, rows: rows, panel: panel, step: step,
            ahead: ahead, pace: pace, initial: initial, out: out,
            stride: stride)
    case 8:
        widePairProduct8(
            segments: segments, length: length, offset: offset, rows: rows, panel: panel, step: step,
            ahead: ahead, pace: pace, initial: initial, out: out,
            stride: stride)
    default:
        widePairProduct4(
            segments: segments, length: length, offset: offset, rows: rows, panel: panel, step: step,
            ahead: ahead, pace: pace, initial: initial, out: out,
            stride: stride)
    }
}

/// The inner loop for `tiles` tiles of 12 rows that lie evenly apart, against one panel or two, or of 8 rows
/// against three; only where `RowTiles.wide`. Arguments as in `wideEvenPairs12`.
@inline(__always)
func evenProduct(
    _ tiles: Int, length: Int, input: UnsafePointer<Float>, inputStride: Int, panel: UnsafePointer<Float>,
    panels: Int, step: Int,
    ahead: UnsafePointer<Float>, pace: Int, initial: UnsafePointer<Float>?, residual: UnsafePointer<Float>?,
    out: UnsafeMutablePointer<Float>, stride: Int,
    fetchesOut: Bool = false
) {
    switch panels {
    case 1:
        wideEvenPanels12(
            tiles: tiles, length: length, input: input, inputStride: inputStride, panel: panel,
            initial: initial, residual: residual, out: out, stride: stride)
    case 2:
        wideEvenPairs12(
            tiles: tiles, length: length, input: input, inputStride: inputStride, panel: panel, step: step,
            ahead: ahead, pace: pace, initial: initial,
            residual: residual, out: out, stride: stride, fetchesOut: fetchesOut)
    default:
        guard let initial else { preconditionFailure("three panels at once do not go on from sums") }
        wideEvenTriples8(
            tiles: tiles, length: length, input: input, inputStride: inputStride, panel: panel, step: step,
            ahead: ahead, pace: pace, initial: initial,
            residual: residual, out: out, stride: stride, fetchesOut: fetchesOut)
    }
}
