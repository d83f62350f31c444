/** Many texts in requests that a server takes, and the text that it refuses. */
import type { ErrorType } from '../errors/error-types';
import { captureError, type ServerError } from '../errors/server-error';
import { getServerType } from '../servers/types';
import type { ModelServer } from '../servers/types/server-type';
import { pushAll, omitUndefined } from '../values';
import { explainUnsupportedRoute } from './run-task';

/** A text with its position among those of the call. */
export interface BatchText {
	index: number;
	text: string;
}

/** Bytes of text per request: the smallest limits of servers and proxies are 1 MB. */
const MAX_BYTES = 512 * 1024;

/** Failures that another batch may not have. */
const BATCH_SPECIFIC_ERRORS: ReadonlySet<ErrorType> = new Set([
	'badRequest',
	'promptTooLong',
	'serverError',
	'requestTooLarge',
]);

/** Whether the server took other texts of the call. */
export type OtherTextsStatus = 'taken' | 'refused' | 'none';

interface BatchOptions<T extends BatchText, R> {
	/** Texts in one request. */
	size: number;
	send(batch: readonly T[]): Promise<R[]>;
	/** After the refusal of a text alone. What it returns is the result of the text. */
	onRejected(error: ServerError, text: T, others: OtherTextsStatus): Promise<R[]>;
}

/**
 * The results of texts, in their order. A batch that is refused is halved until the text that is refused is alone.
 *
 * @throws {ServerError}
 */
export async function processInBatches<T extends BatchText, R>(
	texts: readonly T[],
	{ size, send, onRejected }: BatchOptions<T, R>,
): Promise<R[]> {
	let most = size;
	let wereTaken = false;
	const sent = async (batch: readonly T[]): Promise<R[]> => {
		const results = await send(batch);
		wereTaken = true;
		return results;
	};
	const others = async (): Promise<OtherTextsStatus> => {
		if (wereTaken) return 'taken';
		if (texts.length === 1) return 'none';
		const outcome = await sent(texts.slice(-1)).catch(captureError);
		return 'failed' in outcome ? 'refused' : 'taken';
	};
	const resultsOf = async (batch: readonly T[]): Promise<R[]> => {
		const outcome = await sent(batch).catch(captureError);
		if (!('failed' in outcome)) return outcome;
		const { failed } = outcome;
		const [text, second] = batch;
		if (!isBatchSpecific(failed)) throw failed;
		if (second === undefined) return await onRejected(failed, text!, await others());
		const middle = Math.ceil(batch.length / 2);
		const results = await resultsOf(batch.slice(0, middle));
		pushAll(results, await resultsOf(batch.slice(middle)));
		// Its texts were all taken, so it was too large.
		most = Math.min(most, middle);
		return results;
	};
	const all: R[] = [];
	for (let begin = 0; begin < texts.length; ) {
		const batch = nextBatch(texts, begin, most);
		pushAll(all, await resultsOf(batch));
		begin += batch.length;
	}
	return all;
}

function isBatchSpecific(error: ServerError): boolean {
	return BATCH_SPECIFIC_ERRORS.has(error.type) || isInvalidJsonResponse(error);
}

/** Whether an answer is no JSON in spite of a status of success: Python writes NaN as it is, which JSON does not know. */
export function isInvalidJsonResponse({ type, status }: ServerError): boolean {
	return type === 'invalidResponse' && status !== undefined && status < 300;
}

function nextBatch<T extends BatchText>(texts: readonly T[], begin: number, most: number): T[] {
	const batch: T[] = [];
	let bytes = 0;
	for (const one of texts.slice(begin, begin + most)) {
		bytes += Buffer.byteLength(one.text);
		if (batch.length > 0 && bytes > MAX_BYTES) break;
		batch.push(one);
	}
	return batch;
}

/** The sizes in a refusal of a text that is too long, in tokens. */
interface TokenSizes {
	/** Most tokens of one text. */
	limit?: number;
	/** Tokens of the refused text. */
	tokens?: number;
}

/** How llama-server, vLLM, TEI and LM Studio name them. */
const TOKENS =
	/(?:input|request|prompt) (?:length )?\((?:length )?(\d+)|\bgiven: (\d+)|\b(?:requested|has|at least) (\d+)|\b(?:first|n_keep:) (\d+)/i;
const LIMIT =
	/(?:batch size|context (?:size|length|window)|maximum (?:model|context) length|n_ctx|context length of only|less than)[^\d]{0,6}(?:is |of )?[^\d]{0,2}(\d+)/i;

/** Undefined where a refusal is about something else. */
export function parseTokenSizes({
	type,
	serverText = '',
	facts,
}: ServerError): TokenSizes | undefined {
	if (type !== 'promptTooLong') return undefined;
	return omitUndefined({
		tokens: numberIn(serverText, TOKENS) ?? (facts.n_prompt_tokens as number | undefined),
		limit: numberIn(serverText, LIMIT) ?? (facts.n_ctx as number | undefined),
	});
}

function numberIn(text: string, pattern: RegExp): number | undefined {
	const digits = pattern
		.exec(text)
		?.slice(1)
		.find((group) => group !== undefined);
	return digits === undefined ? undefined : Number(digits);
}

/** A size and a limit in words, as far as they are known. */
export function formatTokenSizes({ tokens, limit }: TokenSizes): { size: string; most: string } {
	return {
		size: tokens === undefined ? '' : ` of ${tokens} tokens`,
		most: limit === undefined ? '' : `, which is limited to ${limit} tokens`,
	};
}

const WORK = {
	embeddings: { can: 'create embeddings', started: 'embeddings' },
	rerank: { can: 'rerank', started: 'reranking' },
} as const;

/** The refusal of a server that was started for other work, or for shorter texts. */
export async function explainUnsupportedTask(
	server: ModelServer,
	error: ServerError,
	{ work, model }: { work: keyof typeof WORK; model: string },
): Promise<ServerError> {
	const { texts } = await getServerType(server);
	const { can, started } = WORK[work];
	if (error.type === 'promptTooLong')
		return error.withSuggestion(`${error.suggestion} ${texts.longerTexts ?? ''}`.trim());
	if (error.type !== 'featureDisabled')
		return await explainUnsupportedRoute(server, error, { can, remedy: () => texts[work], model });
	const message = `The server was not started for ${started}`;
	return error.copyWith({ message, suggestion: texts[work] });
}

/** Share of the limit that is used, since tokens are only estimated from characters. */
const MARGIN = 0.9;

/** The beginning of a text that should fit; a smaller one where it is refused again. Never half a character. */
export function truncateToLimit(text: string, { limit, tokens }: TokenSizes): string {
	const isMeasured = limit !== undefined && tokens !== undefined && tokens > limit;
	const share = isMeasured ? (limit / tokens) * MARGIN : 0.5;
	return text.slice(0, Math.floor(text.length * share)).replace(/[\uD800-\uDBFF]$/, '');
}

const SHOWN_CHARACTERS = 80;

/** The beginning of a text, as an error shows it. */
export function excerpt(text: string): string {
	return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
