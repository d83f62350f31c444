/**
 * Why a server could not load a model, if it is not its memory: a part of the server that is not installed, or something in
 * the model that this version does not know.
 *
 * Sources: LocalAI (pkg/model/initializers.go, core/gallery/backends.go, core/services/nodes), text-embeddings-inference
 * (backends/core), llama.cpp and Ollama (unknown model architecture), vLLM (model_executor/models/registry.py),
 * Transformers (models/auto), mlx-lm (utils.py).
 */

/** A sentence about a part that the server lacks or does not know. */
interface LoadSentence {
	/** What a title calls the part. */
	part: 'backend' | 'pre-tokenizer' | 'tensor type' | 'quantization' | 'architecture';
	/** Its group is the name of the part, which not every message has. */
	pattern: RegExp;
}

/** A name in quotation marks of any kind, or without; the first of a list. */
const NAME = String.raw`[:=]?\s{0,2}[[(]?\s{0,2}\\?["'\x60‘“]?([\w/][\w./+-]{0,120})`;

/** Articles and connecting words, which are no names. */
const WORD =
	/^(?:a|an|the|is|are|was|not|for|of|in|on|with|and|or|error|found|installed|available|supported|unknown|unsupported|after|set|to|by|this|model|has)$/i;

/** A part with its name, or without. */
const sentence = (part: LoadSentence['part'], pattern: string): LoadSentence => ({
	part,
	pattern: new RegExp(pattern, 'i'),
});

const MISSING_BACKENDS: readonly LoadSentence[] = [
	sentence(
		'backend',
		String.raw`\b(?:backend|inference engine) (?:is |was )?not (?:found|installed|available)\b(?: on \w{1,20} node)?(?:${NAME})?`,
	),
	sentence(
		'backend',
		String.raw`\b(?:unknown|unsupported) (?:inference )?backend\b(?: type| name)?(?:${NAME})?`,
	),
	sentence(
		'backend',
		String.raw`\bno (?:suitable |matching )?backends? (?:was |were )?(?:found|installed|available|set)\b(?: (?:with name|named|for))?(?:${NAME})?`,
	),
	sentence(
		'backend',
		String.raw`\bbackend${NAME}\\?["'\x60]? (?:is |was )?(?:not (?:found|installed|available)|does not exist|missing)\b`,
	),
	// "ds4 backend not found"
	sentence(
		'backend',
		String.raw`(?:^|: )([\w.+-]{1,60}) backend (?:is |was )?not (?:found|installed|available)\b`,
	),
	sentence('backend', String.raw`\bhas no backend set\b`),
];

const UNKNOWN_PARTS: readonly LoadSentence[] = [
	sentence('pre-tokenizer', String.raw`\bunknown pre-tokenizer type\b(?:${NAME})?`),
	sentence(
		'tensor type',
		String.raw`\b(?:unknown|unsupported|invalid) (?:ggml|tensor) type\b(?:${NAME})?`,
	),
	sentence(
		'quantization',
		String.raw`\b(?:unknown|unsupported) quantization (?:method|type|scheme)\b(?:${NAME})?`,
	),
	sentence(
		'architecture',
		String.raw`\b(?:unknown|unsupported|unrecogni[sz]ed)\b.{0,20}\b(?:architectures?|model type)\b(?:${NAME})?`,
	),
	sentence(
		'architecture',
		String.raw`\bmodel (?:architectures?|type)(?: of this model)?${NAME}[^.]{0,80}?\b(?:not (?:be |currently )?(?:supported|recogni[sz]ed)|unsupported|does not recogni[sz]e|failed to be inspected)`,
	),
	sentence(
		'architecture',
		String.raw`\barchitecture${NAME}\W{0,2} (?:is |are )?(?:not (?:yet )?(?:supported|known|recogni[sz]ed)|unsupported|unknown)`,
	),
];

/** The sentences, each of which makes an error one of this type. */
export const LOAD_FAILURE_PATTERNS: readonly RegExp[] = [...MISSING_BACKENDS, ...UNKNOWN_PARTS].map(
	({ pattern }) => pattern,
);

/** @returns its name; empty if the message names none; undefined if the message is about something else */
export function findMissingBackend(message: string): string | undefined {
	// LocalAI: the path of the program that it looked for
	return findPart(message, MISSING_BACKENDS)?.name.split('/').at(-1);
}

/** @returns the noun, with the name if the message has one; undefined if the message is about something else */
export function findUnknownPart(message: string): string | undefined {
	const found = findPart(message, UNKNOWN_PARTS);
	if (found === undefined || found.name === '') return found?.part;
	return `${found.part} "${found.name}"`;
}

/** A part that a message is about. */
interface NamedPart {
	part: LoadSentence['part'];
	/** Empty if the message has none. */
	name: string;
}

/** The part of the first sentence that a message contains; any sentence about the same part may have its name. */
function findPart(message: string, sentences: readonly LoadSentence[]): NamedPart | undefined {
	const matches = sentences.flatMap(({ part, pattern }) => {
		const match = pattern.exec(message);
		return match === null ? [] : [{ part, name: match[1]?.replace(/\.$/, '') ?? '' }];
	});
	const [first] = matches;
	if (first === undefined) return undefined;
	const isNamed = ({ part, name }: NamedPart) =>
		part === first.part && name !== '' && !WORD.test(name);
	return matches.find(isNamed) ?? { part: first.part, name: '' };
}
