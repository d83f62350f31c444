import { textWithoutControlTokens } from '../../chat/request/control-tokens';
import { asFailed, type ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { LruCache } from '../../lru-cache';
import { type KindName, kindOf } from '../../servers/kinds';
import { modelKey } from '../../servers/model-key';
import { listModels } from '../../servers/model-list';
import { isModelNamed } from '../../servers/model-names';
import type { DecisionAbilities } from '../../servers/kinds/task-abilities';
import type { Attempt } from '../../servers/pool/server-pool';
import type { Question } from './questions';
import { decisionBody, type DecisionInput, type Decisions, readDecisions } from './wire';

const KNOWN_MS = 10 * 60_000;

/** Models that answer no typed questions, by server: another may run there later. */
const refusing = LruCache.shared<true>({ ttlMs: KNOWN_MS });
const listed = LruCache.shared<Promise<boolean>>({ ttlMs: KNOWN_MS });

export interface DecisionRequest {
	attempt: Attempt;
	kind: KindName;
	input: DecisionInput;
	questions: readonly Question[];
	/** Fields that are merged into the body last. */
	extraBody?: Record<string, unknown>;
	signal?: AbortSignal;
}

/**
 * Asks all questions in one request, on the route for decision models.
 *
 * @returns undefined where the server has no such route, or the model is no decision model
 * @throws {ServerError}
 */
export async function askDecisionModel(request: DecisionRequest): Promise<Decisions | undefined> {
	const { attempt, kind, input, questions, extraBody, signal } = request;
	const { connection, model, limits, newRetryPolicy } = attempt;
	const { decisions } = kindOf(kind);
	const key = modelKey({ connection, model });
	if (decisions === undefined || refusing.has(key)) return undefined;
	if (!takesMedia(decisions, input)) return undefined;
	const about = { model };
	const text = await textWithoutControlTokens(connection, { serverKind: kind, model }, input.text);
	const json = { ...decisionBody(model, { ...input, text }, questions), ...extraBody };
	const url = decisions.url(connection, model);
	const outcome = await connection
		.answer(url, { json, signal, limits, about, retry: newRetryPolicy?.(), reuse: true })
		.then((answer) => ({ answer }), asFailed);
	if ('failed' in outcome) {
		if (!isNoDecisionModel(outcome.failed)) throw explained(outcome.failed);
		refusing.set(key, true);
		return undefined;
	}
	const answers = readDecisions(outcome.answer.json, questions);
	if (answers === undefined) throw connection.refusal(outcome.answer, about);
	return answers;
}

/** The route takes pictures and sound, if any, and no video. */
function takesMedia({ ignoresMedia }: DecisionAbilities, { media }: DecisionInput): boolean {
	if (ignoresMedia === true) return media.length === 0;
	return media.every(({ type }) => type !== 'video');
}

/** Whether the list of the server says that a model is a decision model. */
export async function isDecisionModel(
	connection: Connection,
	kind: KindName,
	model: string,
	signal?: AbortSignal,
): Promise<boolean> {
	if (kindOf(kind).decisions === undefined) return false;
	const key = modelKey({ connection, model });
	const known = listed.get(key) ?? decidesByList(connection, kind, model, signal);
	listed.set(key, known);
	return await known.catch(() => {
		listed.delete(key);
		return false;
	});
}

async function decidesByList(
	connection: Connection,
	kind: KindName,
	model: string,
	signal: AbortSignal | undefined,
): Promise<boolean> {
	const models = await listModels(connection, signal);
	const { isSameName } = kindOf(kind).models;
	return models.some((one) => one.decides === true && isModelNamed(one, model, isSameName));
}

const ORDINARY_MODEL =
	/not a decision model|(?:not support|unsupported).{0,40}(?:decision|system ?one)/i;
const UNSEEN_PICTURES = /(?:image|audio|media|vision).{0,40}(?:input|support)|mmproj/i;

function isNoDecisionModel(error: ServerError): boolean {
	const { kind, status = 0, serverText = '' } = error;
	if (kind === 'modelNotFound' || UNSEEN_PICTURES.test(serverText)) return false;
	if (status === 404 || status === 405 || status === 501) return true;
	return status >= 400 && status < 500 && ORDINARY_MODEL.test(serverText);
}

function explained(error: ServerError): ServerError {
	const { status, serverText = '' } = error;
	if (status === 501)
		return error.reworded({
			kind: 'notSupported',
			message: 'This decision model reads text only',
			remedy:
				'Leave the pictures and sound out, or choose a decision model that sees and hears, and start the server with its projector (--mmproj).',
		});
	if (/too many options/i.test(serverText))
		return error.withRemedy(
			'Offer fewer options: ask for a group first, and in a second question for the one in it.',
		);
	return error;
}
