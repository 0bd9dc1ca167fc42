[Nina] a young woman with black hair, wearing a red hoodie
[Walter] a grandpa with white hair and glasses, wearing a purple suit
[Gizmo] a green robot wearing a top hat

[Nina] in the office, typing on a laptop, happy #Nina: "On my system everything simply works."
[Walter] in the library, reading a book, calm #Walter: "On mine, I know why it does not."
[Nina] and [Walter] in the office, arguing, angry #By four o'clock both have said "user-friendly" eleven times.
[Nina] and [Walter] in the office, fighting, angry, papers flying #Then somebody mentions text editors.
[Nina] and [Walter] in the office, standing, surprised #Both screens: "Installing update 1 of 214."
[Walter] and [Nina] in the cafe at night, drinking, calm #Walter: "Peace, until it restarts?"
[Gizmo] in the office at night, close-up, happy #(Gizmo: I run on punched cards. Nobody ever asks.)
