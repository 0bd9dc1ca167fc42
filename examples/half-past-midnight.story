[Bella] a white rabbit wearing a purple hoodie
[Teddy] a brown bear wearing a beanie and a green striped sweater

[NC] the forest at night, nobody there #The forest, half past midnight.
[Bella] in the forest at night, close-up, surprised #(Bella: What was that?)
[NC] the forest at night, wide shot, nobody there #Hrrrr… hrrrr…
[Bella] in the forest at night, running, surprised #Bella: "A monster! It is eating the trees!"
[Teddy] in the forest at night, sitting, sad #Teddy: "It is only me. I am practising. Bears should snore, and I cannot sleep."
[Bella] and [Teddy] in the forest at night, sitting, reading a book, happy #Bella: "Once upon a time there was a carrot…"
[NC] the forest by day, nobody there #Hrrrr… hrrrr…
[Bella] in the forest by day, sitting, calm #(Bella: Very good. And who reads to me?)
