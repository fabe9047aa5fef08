/// How the series of a plot are told apart: by colour, and those of one colour by the shape of their marks
/// and the dashes of their lines.
struct PlotStyle {
    /// Okabe and Ito's colours, which differ for colour-blind eyes too, without the yellow that white
    /// swallows.
    private static let colours = [
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5195", "#6b7280",
    ]
    private static let dashes = ["", "6 3", "2 3", "8 3 2 3"]

    let index: Int

    /// How often the colours have been gone through.
    private var round: Int { index / Self.colours.count }

    var colour: String { Self.colours[index % Self.colours.count] }
    /// For `stroke-dasharray`; empty for a whole line.
    var dash: String { Self.dashes[(index + round) % Self.dashes.count] }
    /// Circle, square, triangle, diamond.
    var shape: Int { (index + round) % 4 }
    /// Whether marks are outlines: after all colours with all shapes.
    var isHollow: Bool { round / 4 % 2 == 1 }

    /// Attributes of a bar: filled, then lighter with an outline, then the outline alone.
    var bar: String {
        switch round % 3 {
        case 0: "fill=\"\(colour)\""
        case 1: "fill=\"\(colour)\" fill-opacity=\"0.35\" stroke=\"\(colour)\" stroke-width=\"1.5\""
        default: "fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.5\""
        }
    }

    /// Attributes of a mark.
    var mark: String {
        isHollow ? "fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.5\"" : "fill=\"\(colour)\""
    }
}
