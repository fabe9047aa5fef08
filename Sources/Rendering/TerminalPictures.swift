internal import CChafa
import Files
internal import Locations
import SourceText

/// Pictures in the terminal through libchafa, which knows what each terminal can do: kitty's and iTerm2's
/// protocols, sixel, else coloured block characters.
package struct TerminalPictures: Sendable {
    package enum Method: String, Sendable, CaseIterable {
        case kitty, iterm, sixel, symbols
    }

    package let method: Method
    private let terminal: Terminal

    /// Chooses by the environment (TERM, TERM_PROGRAM, ...), as chafa's own program does.
    package init(_ terminal: Terminal) {
        let info = Self.makeTerminalInfo(withFallback: false)
        defer { chafa_term_info_unref(info) }
        let method: Method =
            if chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_KITTY_IMMEDIATE_IMAGE_V1) != 0 {
                .kitty
            } else if chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_ITERM2_IMAGE) != 0 {
                .iterm
            } else if chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_SIXELS) != 0 {
                .sixel
            } else {
                .symbols
            }
        self.init(terminal, method: method)
    }

    package init(_ terminal: Terminal, method: Method) {
        self.terminal = terminal
        self.method = method
    }

    /// Text columns that a picture gets where there is room. With symbols a column shows one pixel of a small
    /// picture, so that nothing of a 32 x 32 sprite is lost; elsewhere fewer columns hold more pixels.
    package func preferredColumns(width: Int) -> Int {
        switch method {
        case .symbols: width <= 32 ? 32 : (width <= 64 ? 48 : 64)
        default: width <= 64 ? 20 : 40
        }
    }

    /// Text lines that a picture takes in a box `columns` wide.
    package func lines(columns: Int, bitmap: Bitmap) -> Int {
        guard bitmap.width > 0 else { return 1 }
        let height = Double(columns * cellWidth) * Double(bitmap.height) / Double(bitmap.width)
        return min(max(1, Int((height / Double(cellHeight)).rounded(.up))), 200)
    }

    /// Chafa draws symbols from 8 x 8 samples per character; a character is about twice as high as wide.
    private var cellWidth: Int { method == .symbols ? 8 : terminal.cellWidth }
    private var cellHeight: Int { method == .symbols ? 16 : terminal.cellHeight }

    /// One row of pictures, each in a box of `columns` by `lines` characters, `gap` columns apart; ends at
    /// the start of a line.
    package func strip(_ bitmaps: [Bitmap?], columns: Int, lines: Int, gap: Int = 2) -> TerminalText {
        let count = bitmaps.count
        guard count > 0, columns > 0, lines > 0 else { return "" }
        let total = count * columns + (count - 1) * gap
        var strip = PictureStrip(width: total * cellWidth, height: lines * cellHeight)
        for (index, bitmap) in bitmaps.enumerated() {
            guard let bitmap else { continue }
            strip.draw(
                bitmap, x: index * (columns + gap) * cellWidth, boxWidth: columns * cellWidth,
                boxHeight: lines * cellHeight)
        }
        return print(strip, columns: total, lines: lines)
    }

    private func print(_ strip: PictureStrip, columns: Int, lines: Int) -> TerminalText {
        let info = Self.makeTerminalInfo(withFallback: true), own = Self.makeTerminalInfo(withFallback: false)
        defer {
            chafa_term_info_unref(info)
            chafa_term_info_unref(own)
        }
        guard let configuration = chafa_canvas_config_new() else { return "" }
        defer { chafa_canvas_config_unref(configuration) }
        chafa_canvas_config_set_geometry(configuration, gint(columns), gint(lines))
        chafa_canvas_config_set_cell_geometry(configuration, gint(cellWidth), gint(cellHeight))
        chafa_canvas_config_set_canvas_mode(configuration, Self.canvasMode(own))
        chafa_canvas_config_set_work_factor(configuration, 1)
        switch method {
        case .kitty: chafa_canvas_config_set_pixel_mode(configuration, CHAFA_PIXEL_MODE_KITTY)
        case .iterm: chafa_canvas_config_set_pixel_mode(configuration, CHAFA_PIXEL_MODE_ITERM2)
        case .sixel: chafa_canvas_config_set_pixel_mode(configuration, CHAFA_PIXEL_MODE_SIXELS)
        case .symbols:
            chafa_canvas_config_set_pixel_mode(configuration, CHAFA_PIXEL_MODE_SYMBOLS)
            guard let symbols = chafa_symbol_map_new() else { return "" }
            // Half blocks keep a sprite's square pixels; quadrants and the like would guess at shapes that
            // are not there.
            chafa_symbol_map_add_by_tags(
                symbols,
                ChafaSymbolTags(
                    CHAFA_SYMBOL_TAG_SPACE.rawValue | CHAFA_SYMBOL_TAG_SOLID.rawValue
                        | CHAFA_SYMBOL_TAG_VHALF.rawValue))
            chafa_canvas_config_set_symbol_map(configuration, symbols)
            chafa_symbol_map_unref(symbols)
        }
        guard let canvas = chafa_canvas_new(configuration) else { return "" }
        defer { chafa_canvas_unref(canvas) }
        strip.pixels.withUnsafeBufferPointer { pixels in
            chafa_canvas_draw_all_pixels(
                canvas, CHAFA_PIXEL_RGBA8_UNASSOCIATED, pixels.baseAddress, gint(strip.width),
                gint(strip.height), gint(strip.width * 4))
        }
        guard let printed = chafa_canvas_print(canvas, info) else { return "" }
        defer { g_string_free(printed, 1) }
        let bytes = UnsafeRawBufferPointer(start: printed.pointee.str, count: Int(printed.pointee.len))
        // A sixel picture leaves the cursor below it, the others at the end of its last line.
        return TerminalText(drawing: String(decoding: bytes, as: UTF8.self) + (method == .sixel ? "" : "\n"))
    }

    /// The fallback knows every sequence: right for printing what was chosen, wrong for choosing.
    private static func makeTerminalInfo(withFallback: Bool) -> OpaquePointer? {
        let environment = g_get_environ()
        defer { g_strfreev(environment) }
        let base = chafa_term_db_get_default()
        let info = chafa_term_db_detect(base, environment)
        if withFallback, let fallback = chafa_term_db_get_fallback_info(base) {
            chafa_term_info_supplement(info, fallback)
            chafa_term_info_unref(fallback)
        }
        return info
    }

    private static func canvasMode(_ info: OpaquePointer?) -> ChafaCanvasMode {
        if EnvironmentVariable.colour.value.map({ $0 == "truecolor" || $0 == "24bit" }) ?? false {
            return CHAFA_CANVAS_MODE_TRUECOLOR
        }
        if chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_SET_COLOR_FGBG_DIRECT) != 0 {
            return CHAFA_CANVAS_MODE_TRUECOLOR
        }
        if chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_SET_COLOR_FGBG_256) != 0 {
            return CHAFA_CANVAS_MODE_INDEXED_240
        }
        return CHAFA_CANVAS_MODE_INDEXED_16
    }
}
