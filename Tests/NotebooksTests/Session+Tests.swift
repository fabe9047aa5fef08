import Files
import Interpreting
import Results
import Verbs

extension Session {
    /// A session with two verbs more than the language has.
    static func ofTests(_ folder: String = ".") -> Session {
        // `ink` makes a picture of one colour without reading a file; `stopped` behaves as work that Ctrl-C
        // ended.
        let grey = Slot("grey", .whole, required: .positional, "its colour")
        let ink = VerbDeclaration("ink", .sources, "A picture.", input: .none, slots: [grey], examples: []) {
            invocation in
            let grey = UInt8(clamping: invocation[grey])
            return .table(
                Table(columns: [
                    Column(
                        "image",
                        [.picture(Picture(Bitmap(width: 8, height: 8, red: grey, green: grey, blue: grey)))]),
                    Column("n", numbers: [Double(grey)]),
                ]))
        }
        let stopped = VerbDeclaration("stopped", .control, "Stops.", input: .none, examples: []) {
            invocation in
            invocation.session.cancellation.request()
            return .number(0)
        }
        return Session(
            verbs: VerbRegistry(Verbs.registry.all + [ink, stopped]), access: FileAccess(base: folder))
    }
}
