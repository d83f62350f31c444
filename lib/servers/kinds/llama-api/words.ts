/** What lets llama-server take longer texts for vectors and rankings. */
export const LONGER_TEXTS =
	'With llama-server, -ub and -b raise the limit up to the context that the model was trained for, for example -ub 2048 -b 2048.';
