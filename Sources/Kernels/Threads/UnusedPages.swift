internal import CProcessor

/// Memory that nobody uses and that the allocator keeps all the same. What lives long, such as a line of a
/// history, comes to lie between buffers that do not, and the holes grow: 3 KB with each small generation at
/// the prompt, without end.
package enum UnusedPages {
    /// Gives whole pages of it back to the system. Buffers that `BufferPool` keeps stay.
    package static func giveBack() { nb_give_pages_back() }
}
