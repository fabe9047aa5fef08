/// Something to look at, the same for the terminal, Markdown and HTML; the Rendering module draws it.
package indirect enum View: Sendable {
    /// Lines of plain text.
    case text(String)
    case table(TableView)
    case grid(GridView)
    case plot(PlotView)
    /// One below the other.
    case stack([View])
}

/// A table whose cells are formatted already, except pictures.
package struct TableView: Sendable {
    package struct Heading: Sendable {
        package var name: String
        package var kind: ValueKind
        package var isNumeric: Bool { kind == .number || kind == .measure }

        package init(name: String, kind: ValueKind) {
            self.name = name
            self.kind = kind
        }
    }

    package enum Cell: Sendable {
        case text(String)
        case picture(Picture)
        case missing
    }

    package var headings: [Heading]
    /// Row by row, each with a cell per heading. All rows: how many to show is for who draws it.
    package var rows: [[Cell]]
    /// What it shows, with all digits, for programs and files; nil for a table that is only a view.
    package var source: Table?
    /// Below the table: that it is partial, say.
    package var note: String?

    package init(headings: [Heading], rows: [[Cell]], source: Table? = nil, note: String? = nil) {
        self.headings = headings
        self.rows = rows
        self.source = source
        self.note = note
    }
}

/// Pictures in rows and columns, with headings or labels.
package struct GridView: Sendable {
    package struct Cell: Sendable {
        package var picture: Picture
        /// Below or beside the picture; may be empty.
        package var label: String
        /// What the picture shows, in words, for who cannot see it.
        package var description: String

        package init(picture: Picture, label: String = "", description: String = "") {
            self.picture = picture
            self.label = label
            self.description = description
        }
    }

    /// One per column, or none.
    package var columnHeadings: [String]
    /// One per row, or none.
    package var rowHeadings: [String]
    /// Row by row; nil where there is no picture. All rows have the same length.
    package var rows: [[Cell?]]
    package var note: String?

    package init(
        columnHeadings: [String] = [], rowHeadings: [String] = [], rows: [[Cell?]], note: String? = nil
    ) {
        self.columnHeadings = columnHeadings
        self.rowHeadings = rowHeadings
        self.rows = rows
        self.note = note
    }
}
