/// Words that people know from Python, shells, pandas, SQL or other programs for diffusion, and what says the
/// same here.
package enum ForeignWord {
    /// What to write in place of a name that is no variable: "write `yes`".
    package static func value(_ name: String) -> String? {
        switch name.lowercased() {
        case "true": "write `yes`"
        case "false": "write `no`"
        case "null", "nil", "nan", "na": "a missing value is `none`"
        case "none": "write `none`"
        case "model": "open one first: `model = load monsters`"
        case "pi": "there are no constants: write 3.14159265"
        default: nil
        }
    }

    /// For a word that is no verb.
    package static func verb(_ name: String) -> String? {
        switch name.lowercased() {
        case "print", "echo", "display", "cat":
            "`show X` shows a value, `table T` a table; a value alone shows itself"
        case "head", "limit", "take": "`first N` keeps the first rows"
        case "tail": "`last N` keeps the last rows"
        case "filter", "query": "`where (condition)` keeps rows"
        case "map", "mutate", "assign": "`with NAME=(expression)` adds a column"
        case "drop": "`select` keeps columns, `where` keeps rows"
        case "groupby", "aggregate", "summarise", "summarize": "`group COLUMN NAME=(expression)` folds rows"
        case "merge": "`join TABLE on=COLUMN` sets tables side by side"
        case "concat", "append", "union": "`stack A B` sets tables one below the other"
        case "order", "orderby", "arrange": "`sort COLUMN` orders rows"
        case "import", "from", "include": "there is nothing to import: all verbs are there"
        case "for", "while", "foreach":
            """
            `sweep NAME=LIST { ... }` goes through values, `each { ... }` through rows, `loop TABLE { ... }` \
            carries a value along
            """
        case "if", "else": "`if(condition, a, b)` is a function; `where (condition)` keeps rows"
        case "let", "var", "set", "const": "write `NAME = value`"
        case "function", "fn", "func", "lambda": "`def NAME ARGUMENT ... { ... }` makes a verb"
        case "sample_image", "generate", "txt2img", "infer":
            "`\"text\" | noise of=50 | denoise | decode | show` draws a picture"
        case "img2img": "`encode image | noise K of=N | denoise | decode` begins from a picture"
        case "lora", "controlnet", "sdxl", "inpaint", "refiner", "ip_adapter": "`\(name)` is not supported"
        default: nil
        }
    }

    /// For a word that is no option: what other programs for diffusion call it.
    package static func option(_ name: String, of verb: String) -> String? {
        switch name.lowercased() {
        case "guidance_scale", "cfg", "cfg_scale": "`denoise guidance=` is meant"
        case "num_inference_steps": "the steps are those of `noise of=N`"
        case "steps": verb == "noise" || verb == "denoise" ? "the steps are those of `noise of=N`" : nil
        case "strength": "write `noise K of=N`: K of N steps of noise"
        case "negative_prompt": "`denoise negative=` is meant"
        case "sampler", "solver", "sampling_method": "`noise scheduler=` is meant"
        case "seed", "generator": verb == "denoise" ? "the seed is that of `noise seed=`" : nil
        case "prompt", "caption": "what flows in brings the column `text`"
        case "height", "width":
            verb == "noise" || verb == "denoise" ? "`noise size=WIDTHxHEIGHT` is meant" : nil
        case "lora", "controlnet", "refiner", "ip_adapter": "`\(name)` is not supported"
        default: nil
        }
    }

    /// What an option is called here that other programs have under another name.
    package static func optionName(_ name: String) -> String? {
        switch name.lowercased() {
        case "sampler", "sampling", "solver", "sampling_method", "scheduler_type", "sampler_name": "scheduler"
        case "guidance_scale", "cfg", "cfg_scale", "scale": "guidance"
        case "num_inference_steps", "n_steps", "num_steps": "of"
        case "negative_prompt", "uncond": "negative"
        case "generator", "random_seed", "rng": "seed"
        case "height", "width", "resolution": "size"
        case "learning_rate", "lr": "rate"
        case "batch_size": "batch"
        case "dtype", "torch_dtype", "fp16", "half": "precision"
        case "k", "strength", "denoising_strength": "k"
        default: nil
        }
    }

    /// A kind of model that is known and not supported, by a name that says so.
    package static func model(_ name: String) -> String? {
        let words = name.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init)
        let joined = words.joined(separator: "-")
        let kinds = [
            ("sdxl", "Stable Diffusion XL"), ("stable-diffusion-xl", "Stable Diffusion XL"),
            ("stable-diffusion-3", "Stable Diffusion 3"), ("flux", "Flux"),
            ("lora", "a LoRA"), ("controlnet", "ControlNet"), ("inpaint", "inpainting"),
            ("refiner", "a refiner"),
        ]
        return kinds.first { words.contains($0.0) || ($0.0.contains("-") && joined.contains($0.0)) }?.1
    }

    /// For what IPython takes at its prompt beside Python.
    package static func prompt(_ line: String) -> String? {
        guard line.dropFirst().first?.isLetter == true || line.dropFirst().first == "%" else { return nil }
        return switch line.first {
        case "%":
            """
            there are no magics: `time { ... }` and `bench N { ... }` measure, and commands of the prompt \
            begin with `:` (`:help`)
            """
        case "!": "no command starts another program: a shell has to be opened beside the prompt"
        default: nil
        }
    }

    /// For a word that is no function.
    package static func function(_ name: String) -> String? {
        switch name.lowercased() {
        case "len", "count", "size": "`length(x)` counts"
        case "avg", "average": "`mean(x)` is the mean"
        case "ln": "`log(x)` is the natural logarithm"
        case "pow": "write `a^b`"
        case "str", "format": "text holds values by interpolation: \"\\(x)\""
        case "range": "write `1..10`, or `0..1:0.1` with a step"
        case "floor", "ceil", "int": "`round(x)` rounds; `x - x % 1` cuts off"
        case "clip", "clamp": "`min(max(x, low), high)` clamps"
        default: verb(name)
        }
    }
}
