// The cells of the design that must run as they stand: they keep the grammar honest.

package enum Examples {
    package static let cells: [(title: String, text: String)] = [
        (
            "The language",
            #"""
            model = load monsters
            train = dataset monsters split=train
            test  = dataset monsters split=test | first 36
            param g = 10 in 0..30

            pictures = sweep k=20..60:10 {
              test | retrieve train | encode near.image | noise k of=70 | denoise guidance=g | decode
            }
            runs = pictures | score fd_clip clip by=k against=train
            runs | plot x=k y=fd_clip,clip
            pictures | where (item < 6) | grid near.image,generated rows=text cols=k
            reported = items k=20..60:10 fid=317.4,283.021,260.616,234.656,222.27 clip=0.243,0.255,0.269,0.272,0.276
            runs | join reported on=k as=report | table
            claim "more added noise gives a lower distance" (falling(runs.fd_clip))
            """#
        ),
        (
            "First pictures",
            #"""
            model = load monsters
            train = dataset monsters split=train
            test  = dataset monsters split=test | first 8
            test | noise of=70 seed=1 | denoise guidance=7.5 | decode | grid generated labels=text
            near = test | retrieve train | encode near.image
            near | select text near.text near.similarity near.image | table
            pictures = sweep k=20,40,60 { near | noise k of=70 seed=1 | denoise guidance=7.5 | decode }
            pictures | grid near.image,generated rows=text cols=k
            why pictures[3]
            """#
        ),
        (
            "A sampler in the language: DDIM",
            #"""
            x = dataset monsters split=test | first 4
            s = schedule ddim of=50
            param g = 7.5
            mine  = x | noise of=50 scheduler=ddim seed=0 | loop s {
              predict at=timestep | with eps=(eps.empty + g*(eps.text - eps.empty))
                | with clean=((latent - sqrt(1 - alpha_bar)*eps) / sqrt(alpha_bar))
                | with latent=(sqrt(alpha_bar_next)*clean + sqrt(1 - alpha_bar_next)*eps)
            } | decode
            ours  = x | noise of=50 scheduler=ddim seed=0 | denoise guidance=g | decode
            both  = mine | join ours on=item as=ours
            expect (max(difference(both.generated, both.ours.generated)) <= 1/255) "the two samplers differ"
            """#
        ),
        (
            "Denoising a few steps at a time, looking in between",
            #"""
            a = "a purple beetle with huge jaws" | noise of=70 seed=11
            b = a | denoise guidance=10 steps=35
            b | decode | show
            b | denoise guidance=10 | decode | show
            a | denoise guidance=10 every=10 | decode | grid generated cols=left
            """#
        ),
        (
            "The final comparison",
            #"""
            all    = dataset monsters split=test
            random = sweep repeat=3 { all | noise of=70 | denoise guidance=10 | decode }
            near   = sweep repeat=3 { all | retrieve train | encode near.image | noise 60 of=70 | denoise guidance=10 | decode }
            scores = stack random near as=method | score fd_clip clip clip_image nearest_clip by=method against=train
            scores | compare baseline=(method == "random") | table
            claim "retrieval gives the lower distance" (scores[1].fd_clip < scores[0].fd_clip)
            """#
        ),
        (
            "Beyond the report",
            #"""
            blur    = test | retrieve train | encode near.image | noise 0 of=70 left=60 | denoise guidance=10 | decode
            five    = test | retrieve train top=5 | encode near.image | noise 60 of=70 | denoise guidance=10 | decode
            five | score fd_clip clip by=near.rank against=train
            control = test | retrieve train by=random seed=1 | encode near.image | noise 60 of=70 | denoise guidance=10 | decode
            slip    = sweep mode="aligned","diffusers" k=20..60:10 { test | retrieve train | encode near.image | noise k of=70 start=(mode) | denoise guidance=10 | decode }
            runs    = sweep s="pndm","ddim","euler","dpmpp_2m" n=10..70:10 { test | noise of=n scheduler=(s) | denoise guidance=10 | decode }
            runs | score fd_clip clip by=s,n against=train | plot x=n y=fd_clip by=s
            """#
        ),
        (
            "Training",
            #"""
            param minutes = 5 in 1..2000
            train | batches batch=8 drop_text=0.1 seed=0 | first 8 | table
            words = new tokenizer size=1500 | fit tokenizer on=train
            clip  = new clip tokenizer=words hidden=160 layers=4 | fit clip on=train batch=96 minutes=minutes
            vae   = new vae channels=32,64 latent_channels=4 | fit vae on=train batch=16 minutes=minutes
            unet  = new unet channels=48,96,160 context=128 sample=16
            model = new model unet=unet vae=vae clip=clip tokenizer=words scheduler=pndm | fit unet on=train drop_text=0.1 batch=128 minutes=minutes keep=validation
            model.curve | plot x=.step y=loss,validation
            save model out/monsters-small precision=float16
            """#
        ),
    ]
}
