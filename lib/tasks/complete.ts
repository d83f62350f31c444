/** Continues a text as it is, without the chat template of the model. */
import { withContextSuggestion } from '../chat/suggestions';
import { parseOpenAiUsage, parseTimings } from '../chat/usage';
import { toUsageFields, hintOnContext, toOllamaBody } from '../chat/ollama-body';
import { assertValidParameters, toParameterFields } from '../chat/parameters';
import type { ChatSettings, Timings, Usage } from '../chat/types';
import { classifyStreamError, hasError } from '../errors/classify-error';
import { createServerError, createInputError } from '../errors/create-error';
import { captureError } from '../errors/server-error';
import type { HttpResponse } from '../http/types';
import { TextCount } from '../http/response-body';
import { toErrorContext } from '../http/request-errors';
import { parseObject } from '../json';
import { assertModelName } from '../servers/model-names';
import { type Adaptation, omitStreamOptions } from '../servers/adaptations';
import { getRecognizedTypeName, getServerType } from '../servers/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { getTruncationWarnings } from '../servers/truncation';
import {
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	omitUndefined,
	asRecords,
	asString,
} from '../values';
import { parseTokenSizes } from './batches';
import { explainUnsupportedRoute, runTask, type TaskSettings } from './run-task';

export type CompleteSettings = TaskSettings & Pick<ChatSettings, 'parameters'>;

export interface TextCompletion {
	text: string;
	/** Why it ended: `stop` (the model had finished), `limit`, or the server's own reason. */
	stopType?: string;
	usage?: Usage;
	timings?: Timings;
	model?: string;
}

/**
 * @param prompt a text, or the IDs of its tokens
 * @param show gets the text as it arrives
 * @throws {ServerError} with the text that had arrived in `partialText`
 */
export async function completeText(
	server: ModelServer,
	settings: CompleteSettings,
	prompt: string | number[],
	show?: (piece: string) => Promise<void>,
): Promise<TextCompletion & { server?: string; hints: string[] }> {
	const { model, parameters } = settings;
	assertModelName(model);
	assertValidParameters(parameters);
	const serverType = await getServerType(server, settings.signal);
	const reload = hintOnContext(serverType, server, settings);
	let partial = '';
	const { value, notes } = await runTask(server, settings, {
		route: (body) =>
			'raw' in body ? `${server.url.root}/api/generate` : `${server.url.api}/completions`,
		streamFormat: serverType.nativeApi === undefined ? 'events' : 'lines',
		body:
			serverType.nativeApi === undefined
				? toOpenAiBody(settings, serverType, prompt)
				: buildRawOllamaBody(settings, prompt),
		extraBody: serverType.nativeApi === undefined ? (parameters.extraBody ?? {}) : {},
		operation: 'text_completion',
		adaptations: [byOpenAi(toOpenAiBody(settings, serverType, prompt)), omitStreamOptions],
		isPreemptible: show === undefined,
		read: async (answer) => {
			partial = '';
			return await readTextCompletion(
				answer,
				toErrorContext(server, answer.url, model),
				async (piece) => {
					partial += piece;
					await show?.(piece);
				},
			);
		},
		getUsage: ({ usage }) => usage ?? {},
	}).catch(async (error: unknown) => {
		const refusal = captureError(error).failed;
		const failed = await withContextSuggestion(
			refusal,
			{ server, serverType, model, tokens: parseTokenSizes(refusal)?.tokens },
			'Or shorten the text.',
		);
		const lacks = { can: 'complete text', remedy: () => 'Use Chat instead of Complete.', model };
		throw (await explainUnsupportedRoute(server, failed, lacks)).withPartial({ text: partial });
	});
	const texts = typeof prompt === 'string' ? [prompt] : [];
	const unread = await getTruncationWarnings(server, {
		texts,
		processedTokens: value.usage?.promptTokens,
		model,
	});
	return {
		...value,
		...omitUndefined({ server: getRecognizedTypeName(server) }),
		hints: [...notes, ...unread, ...reload],
	};
}

function toOpenAiBody(
	{ parameters }: CompleteSettings,
	kind: ServerType,
	prompt: string | number[],
): JsonRecord {
	return {
		prompt,
		stream: true,
		stream_options: { include_usage: true },
		...toParameterFields(parameters, kind),
	};
}

/** Of Ollama. `raw`: the prompt as it is, without the template of the model. */
function buildRawOllamaBody(
	{ model, parameters }: CompleteSettings,
	prompt: string | number[],
): JsonRecord {
	if (typeof prompt !== 'string')
		throw createInputError(
			'This server accepts prompts as text only, not as tokens',
			'Enter the prompt as text.',
		);
	const body = toOllamaBody({ model, messages: [], tools: [], parameters });
	// An unknown token ID in `context` crashes the whole server (seen with 0.17.4).
	const fields = Object.entries(body).filter(([name]) => !['messages', 'context'].includes(name));
	return { prompt, raw: true, truncate: false, ...Object.fromEntries(fields) };
}

/** A gateway may pass on the routes of OpenAI's API only. */
const byOpenAi =
	(body: JsonRecord): Adaptation =>
	({ type }, { raw, model }) =>
		type === 'routeNotFound' && raw !== undefined
			? { name: 'by the route of OpenAI', apply: () => ({ model, ...body }) }
			: undefined;

async function readTextCompletion(
	answer: HttpResponse,
	context: ReturnType<typeof toErrorContext>,
	show: (piece: string) => Promise<void>,
): Promise<TextCompletion> {
	const completion: TextCompletion = { text: '' };
	const count = new TextCount();
	let hasEnded = false;
	const take = async (data: string) => {
		if (data.trim() === '[DONE]') hasEnded = true;
		const event = parseObject(data) ?? {};
		if (hasError(event.error)) throw classifyStreamError(data, context);
		const [choice = event] = asRecords(event.choices);
		const piece = asString(choice.text) ?? asString(choice.response) ?? '';
		const reason = asNonEmptyString(choice.finish_reason) ?? asNonEmptyString(choice.done_reason);
		hasEnded ||= reason !== undefined || event.done === true;
		completion.text += piece;
		count.add(piece.length);
		Object.assign(
			completion,
			// It has had another name here.
			omitUndefined({ ...factsIn(event), stopType: reason?.replace(/^length$/, 'limit') }),
		);
		if (piece === '') return;
		answer.markContent();
		await show(piece);
	};
	try {
		for await (const events of answer.events()) {
			for (const data of events) await take(data);
			if (hasEnded) answer.expectEnd();
		}
	} catch (error) {
		// A socket left open behind the end does not matter.
		if (!hasEnded) throw captureError(error).failed;
	}
	if (hasEnded) return completion;
	const serverText = answer.getNonEventLines().join('\n') || undefined;
	const kind = serverText === undefined ? 'streamEndedEarly' : 'streamError';
	throw createServerError(kind, context, omitUndefined({ serverText }));
}

function factsIn(event: JsonRecord): Partial<TextCompletion> {
	const { usage, timings } = event.done === true ? toUsageFields(event) : event;
	return {
		usage: parseOpenAiUsage(usage),
		timings: isRecord(timings) ? parseTimings(timings) : undefined,
		model: asNonEmptyString(event.model),
	};
}
