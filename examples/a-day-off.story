[Robbie] an orange robot wearing a blue T-shirt and a cap
[Zoe] a girl with blonde hair, wearing a pink dress

[Zoe] in the kitchen, waving, happy #Zoe: "Robbie! Today you have a day off."
[Robbie] in the kitchen, close-up, surprised #(Robbie: Off? Like a switch?)
[Zoe] and [Robbie] in the kitchen, standing, laughing #Zoe: "No, silly. Off like a holiday!"
[Robbie] at the beach, sitting, happy #Ten o'clock: the beach.
[Robbie] at the beach, running, angry #Robbie: "Sand! In my knees! In both of them!"
[Robbie] in the library, reading a book, calm #Noon: a novel. At one second past noon, all the others.
[Robbie] in the cafe, drinking from a cup, happy #Robbie: "A small oil, please. With foam."
[Robbie] in the park, waving, laughing #He makes friends with a lawnmower.
[Robbie] in space, arms up, surprised #Four o'clock: he takes the wrong bus.
[Robbie] in the snow at night, talking on the phone, sad #Robbie: "Zoe? Where is the button that ends a holiday?"
[Zoe] in the bedroom at night, talking on the phone, happy #Zoe: "You just come home."
[Zoe] and [Robbie] in the kitchen at night, arms up, laughing #Tomorrow he will rest, by washing every plate twice.
