import { failure } from '../errors/failure';
import { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { missingModelAdvice } from '../servers/model-names';
import { type ContextFacts, readContextFacts } from '../servers/context-facts';
import { readModels } from '../servers/models';
import { askServerKind } from '../servers/identify';
import { tooLongIn } from '../servers/text-refusals';
import { isIdentified, type KindName, kindOf } from '../servers/kinds';

const ASK_LIMIT_MS = 3_000;
/** Failures whose advice depends on the kind of server. */
const TOLD_BY_KIND: ReadonlySet<string> = new Set([
	'contextOverflow',
	'modelNotFound',
	'wrongPath',
]);
const SHORTER_PROMPT =
	'Or keep fewer messages in the memory or set History Budget in Local Chat Model, use fewer tools, or shorten the input.';
/** Tokens to leave for the answer. */
const ROOM_FOR_ANSWER = 512;

/**
 * Adds advice for the kind of server to an error: the models that it has, how to get a larger context, or that it
 * cannot chat. Other errors are returned unchanged.
 */
export async function withServerAdvice(
	connection: Connection,
	error: unknown,
	{ model, kind, signal }: { model: string; kind: KindName; signal?: AbortSignal },
): Promise<unknown> {
	if (!(error instanceof ServerError)) return error;
	if (!TOLD_BY_KIND.has(error.kind)) return error;
	const known = isIdentified(kind)
		? kind
		: await askServerKind(connection, model, { signal, limitMs: ASK_LIMIT_MS });
	const limits = { timeoutMs: ASK_LIMIT_MS, placeLimitMs: ASK_LIMIT_MS, signal };
	if (error.kind === 'contextOverflow') {
		const facts = await readContextFacts(connection, model, limits);
		return withContextAdvice(known, error, facts);
	}
	const { status, serverText, facts, url = connection.url.api } = error;
	// On a known server the path is right, so it cannot chat (vLLM with an embedding model, infinity).
	if (error.kind === 'wrongPath')
		return !isIdentified(known)
			? error
			: failure('wrongModelType', connection.contextOf(url, { model }), { status, serverText });
	const ids = await modelsOf(connection, signal);
	const ways = missingModelAdvice(ids, kindOf(known).words.missingModel?.(model));
	return ways === ''
		? error
		: error.reworded({ remedy: ways, facts: { ...facts, models: ids.slice(0, 50) } });
}

/** Advice for a larger context on this kind of server, or for another model where that cannot help. */
function withContextAdvice(
	kind: KindName,
	error: ServerError,
	{ slots, trained }: ContextFacts,
): ServerError {
	const { limit, tokens } = tooLongIn(error) ?? {};
	if (!isIdentified(kind) || tokens === undefined) return error;
	// vLLM stops counting one token above its limit.
	const needed = limit !== undefined && tokens <= limit + 1 ? 2 * limit : tokens;
	const contextSize = Math.ceil((needed + ROOM_FOR_ANSWER) / 1024) * 1024;
	const isBeyondModel = trained !== undefined && needed >= trained;
	const moreContext = isBeyondModel
		? `This model reads at most ${trained} tokens, so a larger context does not help: choose a model that reads more.`
		: kindOf(kind).words.moreContext(contextSize, slots);
	return error.withRemedy(`${moreContext} ${SHORTER_PROMPT}`);
}

async function modelsOf(
	connection: Connection,
	signal: AbortSignal | undefined,
): Promise<string[]> {
	const options = { timeoutMs: ASK_LIMIT_MS, placeLimitMs: ASK_LIMIT_MS, signal };
	const list = await connection
		.call(`${connection.url.api}/models`, options)
		.catch(() => undefined);
	return list === undefined || list.status >= 300
		? []
		: (readModels(list.json) ?? []).map(({ id }) => id);
}
