import { breakerFor } from '../../servers/control-tokens';
import { asFailed, type ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { LruCache } from '../../lru-cache';
import { type KindName, kindOf } from '../../servers/kinds';
import { modelKey } from '../../servers/model-key';
import { listModels } from '../../servers/model-list';
import { isModelNamed } from '../../servers/model-names';
import type { DecisionAbilities } from '../../servers/kinds/task-abilities';
import type { Attempt } from '../../servers/pool/server-pool';
import { type JsonRecord, optional } from '../../values';
import { MAX_LABEL_BYTES } from '../label-request';
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
	extraBody?: JsonRecord;
	signal?: AbortSignal;
}

/**
 * Asks all questions in one request, on the route for decision models.
 *
 * @returns undefined where the server has no such route, or the model is no decision model
 * @throws {ServerError}
 */
export async function askDecisionModel(request: DecisionRequest): Promise<Decisions | undefined> {
	const { attempt, kind, input, extraBody, signal } = request;
	const { connection, model, limits, newRetryPolicy } = attempt;
	const { decisions } = kindOf(kind);
	const key = modelKey({ connection, model });
	if (decisions === undefined || refusing.has(key)) return undefined;
	if (!takesMedia(decisions, input)) return undefined;
	const about = { model };
	const sent = await withoutControlTokens(request);
	const json = { ...decisionBody(model, sent.input, sent.questions), ...extraBody };
	const url = decisions.url(connection, model);
	const maxBytes = MAX_LABEL_BYTES;
	const outcome = await connection
		.answer(url, { json, signal, limits, about, retry: newRetryPolicy?.(), reuse: true, maxBytes })
		.then((answer) => ({ answer }), asFailed);
	if ('failed' in outcome) {
		if (!isNoDecisionModel(outcome.failed)) throw explained(outcome.failed);
		refusing.set(key, true);
		return undefined;
	}
	const answers = readDecisions(outcome.answer.json, sent.questions);
	if (answers === undefined) throw connection.refusal(outcome.answer, about);
	return answers;
}

/** What is asked, with the control tokens of the model broken up. Answers name the options as they were sent. */
async function withoutControlTokens({ attempt, kind, input, questions }: DecisionRequest) {
	const { connection, model } = attempt;
	const texts = [input.text, ...questions.flatMap(textsOf)];
	const change = await breakerFor(connection, { serverKind: kind, model }, texts);
	return {
		input: { ...input, text: change(input.text) },
		questions: questions.map((question) => questionWith(question, change)),
	};
}

function textsOf({ name, text, options }: Question): string[] {
	return [name, text, ...options.flatMap((option) => [option.name, option.description ?? ''])];
}

function questionWith(question: Question, change: (text: string) => string): Question {
	return {
		...question,
		name: change(question.name),
		text: change(question.text),
		options: question.options.map(({ name, description }) => ({
			name: change(name),
			...optional({ description: description === undefined ? undefined : change(description) }),
		})),
	};
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

// SGLang 0.5.23 refuses models and chat templates in sentences that begin with its route.
const ORDINARY_MODEL =
	/not a decision model|model is not supported|^\/v1\/systemone \w|(?:not support|unsupported).{0,40}(?:decision|system ?one)/i;
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
