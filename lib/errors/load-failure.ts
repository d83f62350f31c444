/**
 * Why a server could not load a model, if it is not its memory: a part of the server that is not installed, or something in
 * the model that this version does not know.
 *
 * Sources: LocalAI (pkg/model/initializers.go, core/gallery/backends.go, core/services/nodes), text-embeddings-inference
 * (backends/core), llama.cpp and Ollama (unknown model architecture), vLLM (model_executor/models/registry.py),
 * Transformers (models/auto), mlx-lm (utils.py).
 */

/** A name in quotation marks of any kind, or without; the first of a list. */
const NAME = String.raw`[:=]?\s{0,2}[[(]?\s{0,2}\\?["'\x60‘“]?([\w/][\w./+-]{0,120})`;

/** Articles and connecting words, which are no names. */
const WORD =
	/^(?:a|an|the|is|are|was|not|for|of|in|on|with|and|or|error|found|installed|available|supported|unknown|unsupported|after|set|to|by|this|model|has)$/i;

/** Each sentence has the name of the backend in its group, or has none. */
const MISSING_BACKENDS: readonly RegExp[] = [
	new RegExp(
		String.raw`\b(?:backend|inference engine) (?:is |was )?not (?:found|installed|available)\b(?: on \w{1,20} node)?(?:${NAME})?`,
		'i',
	),
	new RegExp(
		String.raw`\b(?:unknown|no such|unsupported|invalid) (?:inference )?backend\b(?: type| name)?${NAME}`,
		'i',
	),
	new RegExp(
		String.raw`\bno (?:suitable |matching )?backends? (?:was |were )?(?:found|installed|available|set)\b(?: (?:with name|named|for))?(?:${NAME})?`,
		'i',
	),
	/\bbackend \\?["'`]?([\w./+-]{1,120}?)\\?["'`]? (?:is |was )?(?:not (?:found|installed|available)|does not exist|missing)\b/i,
	/(?:^|: )([\w.+-]{1,60}) backend (?:is |was )?not (?:found|installed|available)\b/i,
	/\bmodel .{0,200}\bhas no backend set\b()/i,
	/\bcould not find (?:the )?backend \\?["'`]?([\w./+-]{1,120})/i,
];

/** The sentences, for the type of the error. */
export const MISSING_BACKEND_PATTERN: RegExp =
	/\bbackend (?:(?:is |was )?not (?:found|installed|available)\b|\S{1,120} (?:is |was )?(?:not (?:found|installed|available)|does not exist|missing)\b)|\b(?:unknown|no such|unsupported) (?:inference )?backend\b|\bno (?:suitable |matching )?backends? (?:was |were )?(?:found|installed|available|set)\b|\bhas no backend set\b|\bcould not find (?:the )?backend\b|\binference engine (?:is |was )?not (?:found|installed|available)\b/i;

/** @returns its name; empty if the message names none; undefined if the message is about something else */
export function findMissingBackend(message: string): string | undefined {
	if (!MISSING_BACKEND_PATTERN.test(message)) return undefined;
	const names = MISSING_BACKENDS.map((pattern) => pattern.exec(message)?.[1]);
	const name = names.find((candidate = '') => candidate !== '' && !WORD.test(candidate)) ?? '';
	// LocalAI: the path of the program that it looked for
	return name.replace(/\.$/, '').split('/').at(-1);
}

/** What a message calls the unknown part, how a title calls it, and how its name is found. */
const UNKNOWN_PARTS: ReadonlyArray<readonly [noun: string, pattern: RegExp]> = [
	['pre-tokenizer', new RegExp(String.raw`\bunknown pre-tokenizer type${NAME}`, 'i')],
	[
		'tensor type',
		new RegExp(String.raw`\b(?:unknown|unsupported|invalid) (?:ggml|tensor) type${NAME}`, 'i'),
	],
	[
		'quantization',
		new RegExp(
			String.raw`\b(?:unknown|unsupported|invalid) quantization(?: method| type| scheme)?${NAME}`,
			'i',
		),
	],
	[
		'architecture',
		new RegExp(
			String.raw`\b(?:unknown|unsupported|unrecogni[sz]ed) (?:model )?(?:architectures?|model type)${NAME}`,
			'i',
		),
	],
	[
		'architecture',
		new RegExp(
			String.raw`\bmodel (?:architectures?|type)(?: of this model)?${NAME}[^.]{0,80}?\b(?:not (?:be |currently )?(?:supported|recogni[sz]ed)|unsupported|does not recogni[sz]e|failed to be inspected)`,
			'i',
		),
	],
	[
		'architecture',
		new RegExp(
			String.raw`\barchitecture${NAME}["'\x60’”]? (?:is |are )?(?:not (?:yet )?(?:supported|known|recogni[sz]ed)|unsupported|unknown)`,
			'i',
		),
	],
	['architecture', /\b(?:unknown|unsupported)\b.{0,20}\barchitecture\b()/i],
];

/** The sentences, for the type of the error. */
export const UNKNOWN_PART_PATTERN: RegExp =
	/\bunknown pre-tokenizer type\b|\b(?:unknown|unsupported|invalid) (?:ggml|tensor) type\b|\b(?:unknown|unsupported) quantization (?:method|type|scheme)\b|\b(?:unknown|unsupported|unrecogni[sz]ed)\b.{0,20}\b(?:architecture|model type)\b|\bmodel (?:architectures?|type) \W{0,3}[\w.-]{1,80}[^.]{0,80}?\b(?:not (?:be |currently )?(?:supported|recogni[sz]ed)|does not recogni[sz]e|failed to be inspected)|\barchitecture \W{0,2}[\w.-]{1,80}\W{0,2} (?:is |are )?(?:not (?:yet )?(?:supported|known|recogni[sz]ed)|unsupported|unknown)/i;

/** @returns the noun, with the name if the message has one; undefined if the message is about something else */
export function findUnknownPart(message: string): string | undefined {
	for (const [noun, pattern] of UNKNOWN_PARTS) {
		const [match, name = ''] = pattern.exec(message) ?? [];
		if (match === undefined) continue;
		return name === '' || WORD.test(name) ? noun : `${noun} "${name.replace(/\.$/, '')}"`;
	}
	return undefined;
}
