"""For all tests: the toy engine's model can move."""

from bench.toy_movement import let_toys_move

let_toys_move()
