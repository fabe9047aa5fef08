extension View {
    /// Whether something in it was stood in for or is missing.
    package var hasUnknown: Bool {
        switch self {
        case .text(let text): text.holdsNoNumber
        case .table(let table): table.rows.joined().contains(where: \.isUnknown)
        case .grid(let grid): grid.rows.joined().contains { $0?.picture.isUnknown ?? false }
        case .plot(let plot):
            plot.panels.contains {
                $0.series.isEmpty
                    || $0.series.contains { $0.points.isEmpty || $0.points.contains { $0.value.isNaN } }
            }
        case .stack(let views): views.contains(where: \.hasUnknown)
        }
    }
}

extension TableView.Cell {
    fileprivate var isUnknown: Bool {
        switch self {
        case .text(let text): text.holdsNoNumber
        case .picture(let picture): picture.isUnknown
        case .missing: true
        }
    }
}

extension String {
    /// As a word of its own.
    fileprivate var holdsNoNumber: Bool { split { !$0.isLetter }.contains { $0 == NumberFormat.plain(.nan) } }
}
