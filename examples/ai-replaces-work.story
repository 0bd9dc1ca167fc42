[Nora] a woman with long brown hair, wearing a yellow shirt
[Bolt] a blue robot wearing a red hoodie

[Nora] in the office, sitting, happy #Nora likes her job, and on most days it likes her back.
[Bolt] in the office, waving, happy #Bolt: "Hello! I am the AI. I have come for your work."
[Nora] in the office, close-up, surprised #(Nora: All of it?)
[Bolt] in the office, typing on a laptop, laughing #By noon, Bolt has answered every e-mail since 2009.
[Bolt] in the office, talking on the phone, sad #Bolt: "They want a meeting about the meeting."
[Nora] at the beach, reading a book, happy #(Nora: He may keep it.)
[Bolt] in the office at night, arms up, angry, papers flying #Bolt: "Who plans meetings at midnight?!"
[Nora] and [Bolt] in the cafe, drinking, laughing #Bolt: "Take half of it back. Please. The half with people."
