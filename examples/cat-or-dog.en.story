[Mia] a girl with orange hair, wearing a green dress
[Ben] a boy with black hair and glasses, wearing a blue striped sweater
[Momo] a white cat wearing a red T-shirt
[Rex] a brown dog wearing a yellow hoodie

[Mia] in the park, waving, happy #Mia: "We are getting a pet. A cat!"
[Ben] in the park, arms up, laughing #Ben: "Yes! A dog!"
[Mia] and [Ben] in the park, arguing, angry #Mia: "Cats are clever. Dogs eat shoes."
[Momo] in the kitchen, sitting, calm #(Momo: They believe that they will choose.)
[Rex] in the kitchen, running, happy #(Rex: Shoes! People! Shoes!)
[Momo] and [Rex] in the bedroom, standing, happy #Momo: "I take the bed. You take the door."
[Mia] and [Ben] in the bedroom, standing, surprised #And so the children were chosen.
