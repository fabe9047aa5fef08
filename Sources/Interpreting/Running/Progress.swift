/// Where long work says how far it is. Called from the thread that computes; a front end draws it, tests
/// count it.
package protocol Progress: AnyObject {
    /// Work of `total` units begins; `label` says what a unit is of ("denoise, 8 items"). Works can nest: a
    /// sweep around a denoise.
    func begin(_ label: String, total: Int)
    /// So many more units are done.
    func advance(by units: Int)
    /// The work begun last is over, finished or not.
    func end()
    /// A message that should stay: a warning, a mode that was chosen.
    func note(_ message: String)
}

/// Keeps silent.
package final class NoProgress: Progress {
    package init() {}
    package func begin(_ label: String, total: Int) {}
    package func advance(by units: Int) {}
    package func end() {}
    package func note(_ message: String) {}
}
