/** Reads the texts of refusals of requests that are too large. */
import type { ServerError } from '../errors/server-error';
import { optional, plainNumber } from '../values';

/** The refusal of a text that is longer than model or server allow. */
export interface TooLong {
	/** Maximum tokens of one text. */
	limit?: number;
	/** Tokens of the refused text. */
	tokens?: number;
}

/** The sizes are the groups `limit` and `tokens`. */
const TOO_LONG: readonly RegExp[] = [
	// llama-server: all of a text must fit into one physical batch (-ub).
	/input \((?<tokens>\d+) tokens\) is too large to process.{0,500}current batch size: (?<limit>\d+)/is,
	// ... and its older releases, without numbers
	/\binput is too large to process/i,
	/input (?:length )?\((?<tokens>\d+)(?: tokens)?\) .{1,20}er than the m.{0,20} context \w+ \((?<limit>\d+)/i,
	// llama-server, of which a gateway passes on the text only
	/request \((?<tokens>\d+) tokens\) exceeds the available context size \((?<limit>\d+)/i,
	// Ollama
	/input length exceeds (?:the )?(?:maximum )?context length/i,
	// Text Embeddings Inference
	/must have less than (?<limit>\d+) tokens\. Given: (?<tokens>\d+)/i,
	// vLLM
	/maximum context length is (?<limit>\d+) tokens.{0,500}?(?:requested|contains at least|has) (?<tokens>\d+)/is,
	/prompt \(length (?<tokens>\d+)\) is longer than the maximum model length of (?<limit>\d+)/i,
	// LM Studio (lmstudio-bug-tracker issues 237 and 2205)
	/keep the first (?<tokens>\d+) tokens when.{0,200}context length of only (?<limit>\d+)/is,
	/\bn_keep\W{1,3}(?<tokens>\d+)\)?\s*>=\s*n_ctx\W{1,3}(?<limit>\d+)/i,
	// ms-swift
	/length of row\((?<tokens>\d+)\) is larger than the max_length\((?<limit>\d+)/i,
	// Text Generation Inference
	/tokens \+ `max_new_tokens` must be <= (?<limit>\d+)\. Given: (?<tokens>\d+)/i,
];

/** Undefined for other failures. */
export function tooLongIn({ serverText = '', kind, facts }: ServerError): TooLong | undefined {
	const match = TOO_LONG.map((says) => says.exec(serverText)).find((one) => one !== null);
	if (match === undefined && kind !== 'contextOverflow') return undefined;
	const { limit, tokens } = match?.groups ?? { limit: facts.n_ctx, tokens: facts.n_prompt_tokens };
	return optional({ limit: plainNumber(limit), tokens: plainNumber(tokens) });
}

/**
 * The maximum number of texts per request that a refusal names (Text Embeddings Inference: 413 in older releases, 422
 * now).
 */
export function batchLimitIn({ serverText = '' }: ServerError): number | undefined {
	const digits = /batch size \d+ > maximum allowed batch size (\d+)/i.exec(serverText)?.[1];
	return digits === undefined || Number(digits) < 1 ? undefined : Number(digits);
}

/** Refusals of a list as `input`: FastAPI and pydantic (seen: Triton, ms-swift), Go, Rust's serde, validators. */
const ONE_TEXT: readonly RegExp[] = [
	/(?:\bbody\.|^)input(?:\.str)?(?::|\r?\n) *(?:input should be a valid string|str type expected)/im,
	/\bcannot unmarshal array into go struct field \S*\binput of type string\b/i,
	/\binput: invalid type: sequence, expected a string\b/i,
	/\binput\W{0,3} must be (?:a |of type )?string\b(?! or\b)/i,
];
/** The server takes lists too, and refuses an entry. */
const TAKES_LISTS = /\blist\[(?:str|union)\b/i;

/** Whether a server takes one text in a request, and no list. */
export function takesOneTextOnly({ serverText = '' }: ServerError): boolean {
	return !TAKES_LISTS.test(serverText) && ONE_TEXT.some((says) => says.test(serverText));
}

/** The index of the text that a refusal names (FastAPI: `loc: ["body", "input", 7]`); undefined if it names none. */
export function refusedTextIndex({ serverText = '', status }: ServerError): number | undefined {
	const place = /\b(?:inputs?|texts|documents)\.(\d{1,6})\b/.exec(serverText)?.[1];
	return place === undefined || (status !== 400 && status !== 422) ? undefined : Number(place);
}

/** Whether an answer is no JSON in spite of a status of success: Python writes NaN as it is, which JSON does not know. */
export function isUnreadable({ kind, status }: ServerError): boolean {
	return kind === 'invalidAnswer' && status !== undefined && status < 300;
}

/** Whether a failure may be due to one of several texts. */
export function mayBeAboutOneText(error: ServerError): boolean {
	const { kind, status } = error;
	if (isUnreadable(error)) return true;
	return (
		(kind === 'badRequest' || kind === 'serverError') &&
		(status === 400 || status === 422 || status === 500)
	);
}

/** One vector with NaN fails the whole batch. Seen with Ollama 0.17.4 (ollama/ollama issues 14657, 15582). */
export function isNotANumber({ serverText = '' }: ServerError): boolean {
	return /unsupported value: NaN/i.test(serverText);
}
