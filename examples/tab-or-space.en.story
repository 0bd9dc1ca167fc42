[Tom] a young programmer with glasses, wearing a T-shirt with a coding slogan
[Lisa] a woman developer with short hair, her laptop covered in stickers of tech logos

[Tom] in the office, typing on a keyboard #Tom is writing a piece of code.
[Lisa] in the same office, looking at Tom's code on her laptop #Lisa asks Tom whether he uses tabs or spaces.
[Tom] and [Lisa] argue, both looking upset #Tom defends tabs, Lisa insists on spaces.
[Tom] and [Lisa] fight, papers and notebooks flying everywhere #Their argument has turned into a fight.
