package import Tensors

/// Classifier-free guidance (Ho and Salimans 2022), in the form of Imagen and the reference: `empty + scale
/// (text - empty)`. A scale of 1 is the prediction for the text alone, and then the empty prompt need not be
/// run at all.
package enum Guidance {
    /// The guided prediction. `empty`, `text` and the result have the shape of the network's output, be that
    /// noise, velocity or picture: the formula is linear in it. `scale` is the reference's `guidance_scale`.
    package static func combine(empty: Tensor, text: Tensor, scale: Float) -> Tensor {
        empty.zip(text) { $0 + scale * ($1 - $0) }
    }

    /// Whether the prediction for the empty prompt matters; the reference leaves it out up to 1.
    package static func isNeeded(scale: Float) -> Bool { scale > 1 }
}
