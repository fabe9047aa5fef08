import Interpreting
import Tensors

/// Where random numbers come from: item i of a verb with `seed=s` has a generator of its own, seeded with s +
/// i and a million more per repeat of a sweep, so that one picture of a batch can be made again alone.
enum Seeds {
    static let slot = Slot(
        "seed", .whole, default: 0, in: 0...4_294_967_295, "of item 0; item i has seed + i")
    static let perRepeat = 1_000_000

    /// The seed of item 0.
    static func base(_ invocation: Invocation) -> Int {
        let own = invocation.gives(slot) ? invocation[slot] : invocation.session.settings.seed
        return own &+ invocation.session.seedOffset
    }

    static func generator(_ invocation: Invocation, item: Int) -> Generator {
        Generator(seed: UInt64(truncatingIfNeeded: base(invocation) &+ item))
    }
}
