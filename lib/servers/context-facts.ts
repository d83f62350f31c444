import type { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { CallOptions } from '../http/types';
import { finiteNumber, recordOf, recordsIn } from '../values';
import { isIdentified, type KindName, kindOf } from './kinds';
import type { ServerWords } from './kinds/kind';
import { optionalJson } from './optional-json';
import { tooLongIn } from './text-refusals';

const ASK_LIMIT_MS = 3_000;
/** Limits of the requests that look for advice on a failure. */
export const ADVICE_LIMITS = { timeoutMs: ASK_LIMIT_MS };
/** Tokens to leave for the answer. */
const ROOM_FOR_ANSWER = 512;

/** A server that refused something. */
export interface AskedServer {
	connection: Connection;
	model: string;
	kind: KindName;
}

/** What a server says of the context that its slots share (docs/protocols/llama-server.md 2). */
interface ContextFacts {
	/** Number of slots. */
	slots?: number;
	/** Tokens that the model was trained to read: a larger context is cut to this. */
	trained?: number;
}

/** Reads them from `/props` and the list of models; what a server does not say is missing. */
async function readContextFacts(
	connection: Connection,
	model: string,
	options: CallOptions,
): Promise<ContextFacts> {
	const listPath = connection.url.api.slice(connection.url.root.length) + '/models';
	const [props, list] = await Promise.all([
		optionalJson(connection, '/props', options),
		optionalJson(connection, listPath, options),
	]);
	return { slots: finiteNumber(props?.total_slots), trained: trainedContext(list, model) };
}

/**
 * How a model gets a context of so many tokens, or that it cannot use them.
 *
 * @param needed tokens of the prompt; `contextSize`: with room for the answer
 */
export function moreContext(
	words: ServerWords,
	{ needed, contextSize, slots, trained }: ContextFacts & { needed: number; contextSize: number },
): string {
	return trained !== undefined && needed >= trained
		? `This model reads at most ${trained} tokens, so a larger context does not help: choose a model that reads more.`
		: words.moreContext(contextSize, slots);
}

/** Of the model with this ID, or of the only one. */
function trainedContext(list: unknown, model: string): number | undefined {
	const models = recordsIn(recordOf(list).data);
	const listed = models.find(({ id }) => id === model) ?? (models.length === 1 ? models[0] : {});
	return finiteNumber(recordOf(listed?.meta).n_ctx_train);
}

/** The server may have been unknown when the error was made. */
export function withOwnRemedy(error: ServerError, kind: KindName): ServerError {
	return error.withRemedy(kindOf(kind).words.remedies?.[error.kind] ?? error.remedy);
}

/**
 * Advice on a prompt that is too long: a larger context on this kind of server, or another model where that cannot help.
 * Other errors are returned unchanged, and all of an unknown server.
 *
 * @param shorter the other way out
 */
export async function withContextAdvice(
	{ connection, model, kind }: AskedServer,
	error: ServerError,
	shorter: string,
	signal: AbortSignal | undefined,
): Promise<ServerError> {
	if (error.kind !== 'contextOverflow' || !isIdentified(kind)) return error;
	const { limit, tokens } = tooLongIn(error) ?? {};
	if (tokens === undefined) return withOwnRemedy(error, kind);
	const facts = await readContextFacts(connection, model, { ...ADVICE_LIMITS, signal });
	// vLLM stops counting one token above its limit.
	const needed = limit !== undefined && tokens <= limit + 1 ? 2 * limit : tokens;
	const contextSize = Math.ceil((needed + ROOM_FOR_ANSWER) / 1024) * 1024;
	const advice = moreContext(kindOf(kind).words, { needed, contextSize, ...facts });
	return error.withRemedy(`${advice} ${shorter}`);
}
