/** Reads the texts of refusals of requests that are too large. */
import type { ServerError } from '../errors/server-error';
import { finiteNumber, optional } from '../values';

/** The refusal of a text that is longer than model or server allow. */
export interface TooLong {
	/** Maximum tokens of one text. */
	limit?: number;
	/** Tokens of the refused text. */
	tokens?: number;
}

const TOO_LONG: ReadonlyArray<{ says: RegExp; limit?: number; tokens?: number }> = [
	// llama-server: all of a text must fit into one physical batch (-ub).
	{
		says: /input \((\d+) tokens\) is too large to process.{0,500}current batch size: (\d+)/is,
		tokens: 1,
		limit: 2,
	},
	{
		says: /input (?:length )?\((\d+)(?: tokens)?\) .{1,20}er than the m.{0,20} context \w+ \((\d+)/i,
		tokens: 1,
		limit: 2,
	},
	// llama-server, of which a gateway passes on the text only
	{
		says: /request \((\d+) tokens\) exceeds the available context size \((\d+)/i,
		tokens: 1,
		limit: 2,
	},
	// Ollama
	{ says: /input length exceeds (?:the )?(?:maximum )?context length/i },
	// Text Embeddings Inference
	{ says: /must have less than (\d+) tokens\. Given: (\d+)/i, limit: 1, tokens: 2 },
	// vLLM
	{
		says: /maximum context length is (\d+) tokens.{0,500}?(?:requested|contains at least|has) (\d+)/is,
		limit: 1,
		tokens: 2,
	},
	{
		says: /prompt \(length (\d+)\) is longer than the maximum model length of (\d+)/i,
		tokens: 1,
		limit: 2,
	},
	// LM Studio (lmstudio-bug-tracker issues 237 and 2205)
	{
		says: /keep the first (\d+) tokens when.{0,200}context length of only (\d+)/is,
		tokens: 1,
		limit: 2,
	},
	{
		says: /\bn_keep\W{1,3}(\d+)\)?\s*>=\s*n_ctx\W{1,3}(\d+)/i,
		tokens: 1,
		limit: 2,
	},
	// Text Generation Inference
	{
		says: /tokens \+ `max_new_tokens` must be <= (\d+)\. Given: (\d+)/i,
		limit: 1,
		tokens: 2,
	},
];

/** Undefined for other failures. */
export function tooLongIn({ serverText = '', kind, facts }: ServerError): TooLong | undefined {
	for (const { says, limit, tokens } of TOO_LONG) {
		const match = says.exec(serverText);
		const number = (group: number | undefined) =>
			group === undefined ? undefined : Number(match?.[group]);
		if (match !== null) return optional({ limit: number(limit), tokens: number(tokens) });
	}
	if (kind !== 'contextOverflow') return undefined;
	const { n_ctx: limit, n_prompt_tokens: tokens } = facts;
	return optional({ limit: finiteNumber(limit), tokens: finiteNumber(tokens) });
}

/**
 * The maximum number of texts per request that a refusal names (Text Embeddings Inference: 413 in older releases, 422
 * now).
 */
export function batchLimitIn({ serverText = '' }: ServerError): number | undefined {
	const digits = /batch size \d+ > maximum allowed batch size (\d+)/i.exec(serverText)?.[1];
	return digits === undefined || Number(digits) < 1 ? undefined : Number(digits);
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
